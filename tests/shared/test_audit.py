"""Whatever a person changes leaves a row that nobody can take back, in one chain a service."""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import asyncpg
import orjson
import pytest

from deploy.chain import Walk
from deploy.local.postgres import Postgres
from shared import audit
from shared.access import Staff
from shared.database import Connection, connect
from shared.events.audit import ChainHead
from shared.settings import Settings
from shared.sight import SEE
from shared.vocabulary import Role

pytestmark = pytest.mark.postgres

SERVICE = "notify"
OPS = Staff("ops zhao", Role.OPS, "220000")
OFFICER = Staff("officer wang", Role.OFFICER, "220203")
ROWS = "SELECT seq, prev, hash, body FROM audit ORDER BY seq"


@pytest.fixture
async def ask(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """As the service answers HTTP."""
    db = await connect(postgres.dsn(f"{SERVICE}_ask"), "test")
    yield db
    await db.close()


@pytest.fixture
async def work(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """As the service's timers work."""
    db = await connect(postgres.dsn(f"{SERVICE}_work"), "test")
    yield db
    await db.close()


async def recorded(db: Connection, *subjects: str, **detail: Any) -> None:
    async with db.transaction():
        for subject in subjects:
            await audit.record(db, OFFICER, "tested", subject, **detail)


def walked(rows: list[asyncpg.Record]) -> Walk:
    walk = Walk(SERVICE)
    for row in rows:
        walk.take(dict(row) | {"prev": row["prev"].hex(), "hash": row["hash"].hex()})
    walk.end()
    return walk


async def test_a_row_says_who_changed_what_where_and_when(ask, work):
    await recorded(ask, "case/1", region="220203", enterprise="E-1", version=7)

    body = orjson.loads((await work.fetch(ROWS))[-1]["body"])
    assert body.pop("at").endswith("+00:00")
    assert body == {
        "actor": "officer wang",
        "role": "officer",
        "region": "220203",
        "enterprise": "E-1",
        "action": "tested",
        "subject": "case/1",
        "detail": {"version": 7},
    }


async def test_a_row_follows_the_one_before_it_by_its_hash(ask, work):
    await recorded(ask, "case/1", "case/2")
    await recorded(ask, "case/3")

    rows = await work.fetch(ROWS)
    assert walked(rows).fault is None
    assert rows[-1]["prev"] == rows[-2]["hash"]


async def test_two_writers_at_once_keep_one_chain(postgres: Postgres, work):
    writers = [await connect(postgres.dsn(f"{SERVICE}_ask"), "test") for _ in range(4)]
    before = len(await work.fetch(ROWS))

    async def write(db: Connection) -> None:
        for turn in range(25):
            await recorded(db, f"turn/{turn}", f"turn/{turn}/again")

    await asyncio.gather(*map(write, writers))

    rows = await work.fetch(ROWS)
    assert len(rows) == before + 4 * 25 * 2
    assert walked(rows).fault is None
    await asyncio.gather(*(db.close() for db in writers))


async def test_a_change_that_is_rolled_back_leaves_no_row_and_no_hole(ask, work):
    before = len(await work.fetch(ROWS))

    change = ask.transaction()
    await change.start()
    await audit.record(ask, OFFICER, "tested", "case/never")
    await change.rollback()
    await recorded(ask, "case/after")

    rows = await work.fetch(ROWS)
    assert len(rows) == before + 1
    assert walked(rows).fault is None


@pytest.mark.parametrize("role", ["ask", "work"])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET body = '{}'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT INTO audit (seq, body) VALUES (1, '{}')",
        "INSERT INTO audit (hash, body) VALUES ('', '{}')",
        "UPDATE audit_head SET seq = 0",
        "UPDATE audit_head SET hash = ''",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (seq, hash) VALUES (0, '')",
        "ALTER TABLE audit DISABLE TRIGGER append",
        "CREATE OR REPLACE FUNCTION append_audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TEMPORARY TABLE audit_head (seq bigint, hash bytea); SELECT append_audit()",
    ],
)
async def test_no_role_of_ours_can_rewrite_the_trail(postgres: Postgres, role: str, sql: str):
    db = await connect(postgres.dsn(f"{SERVICE}_{role}"), "test")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute(sql)

    await db.close()


@pytest.mark.parametrize(
    ("region", "enterprise", "seen"),
    [("22", "*", True), ("2202", "*", False), ("220203", "*", False), ("22", "E-1", False), ("", "", False)],
)
async def test_only_the_whole_province_reads_the_trail(ask, region: str, enterprise: str, seen: bool):
    await recorded(ask, "case/1")

    async with ask.transaction():
        await ask.execute(SEE, region, enterprise)
        found = [await ask.fetchval(f"SELECT count(*) FROM {table}") > 0 for table in ("audit", "audit_head")]

    assert found == [seen, seen]
    assert await ask.fetchval("SELECT count(*) FROM audit") == 0


async def test_long_texts_and_lists_are_kept_as_their_digests(ask, work):
    await recorded(ask, "case/1", text="长" * 1000, items=list(range(10_000)), nul="a\x00b", short=["a"])

    detail = orjson.loads((await work.fetch(ROWS))[-1]["body"])["detail"]
    assert detail["text"]["characters"] == 1000
    assert detail["items"]["items"] == 10_000
    assert (detail["nul"], detail["short"]) == ("a␀b", ["a"])


async def test_whoever_is_no_staff_is_recorded_by_what_he_called_himself(ask, work):
    async with ask.transaction():
        await audit.record(ask, audit.Outsider("'; DROP TABLE audit; --\x00", "nobody"), "login_failed", "login")

    body = orjson.loads((await work.fetch(ROWS))[-1]["body"])
    assert (body["actor"], body["role"], body["region"]) == ("'; DROP TABLE audit; --␀", "nobody", "220000")


async def test_the_head_is_said_when_it_moved_and_once(ask, work):
    await recorded(ask, "case/1")

    said = []
    for _ in range(2):
        async with work.transaction():
            said.append(await audit.anchor(work, SERVICE))

    last = (await work.fetch(ROWS))[-1]
    rows = await work.fetch("SELECT body FROM outbox WHERE topic = 'audit' ORDER BY seq DESC LIMIT 1")
    head = ChainHead.model_validate_json(rows[0]["body"]).data
    assert said == [1, 0]
    assert (head.service, head.seq, head.hash) == (SERVICE, last["seq"], last["hash"].hex())


RECORDED = {
    "POST /v1/dead-letters/{letter}/replay",
    "POST /v1/dead-letters/{letter}/discard",
    "POST /v1/partitions/{topic}/{partition}/resume",
    "POST /v1/cases/{case}/{action}",
    "POST /v1/cases/{case}/acknowledge",
    "POST /v1/notifications/{notification}/acknowledge",
    "POST /v1/contacts/import",
    "POST /v1/rosters/import",
    "PUT /v1/routes",
    "POST /v1/enterprises/import",
    "POST /v1/points/import",
    "POST /v1/keys",
    "POST /v1/keys/batch",
    "POST /v1/keys/{prefix}/revoke",
    "POST /v1/partitions/{topic}/{partition}/repair",
    "POST /v1/outbox/say-again",
}
QUESTIONS = {"POST /v1/verdicts", "POST /v1/statistics/recount"}
PUSHES = {"POST /v1/events", "POST /v1/readings"}


@pytest.mark.parametrize("service", ["ingest", "hazards", "notify", "reporting"])
def test_every_route_by_which_a_person_changes_something_is_known_to_the_trail(service: str):
    paths = import_module(f"services.{service}.app").build(Settings()).app.openapi()["paths"]
    changing = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs if verb != "get"}

    assert changing - QUESTIONS - PUSHES <= RECORDED
