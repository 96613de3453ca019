"""`audit verify` names the first row that is not as it was written, and what was cut off the end."""

import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.chain import ANCHOR, HEAD, Walk
from deploy.local.walls import in_our_database
from deploy.tokens import mint
from shared import audit
from shared.access import Staff
from shared.database import connect
from shared.vocabulary import Role
from tests.cli.doors import OFFSETS, Doors, Heard, Says
from tests.stack import Stack, until

Row = dict[str, Any]
SERVICE = "reporting"
PATH = "/v1/audit/chain"


def written(count: int, service: str = SERVICE) -> Iterator[Row]:
    """A chain as the trigger writes it."""
    prev = audit.genesis(service)
    for seq in range(1, count + 1):
        body = f'{{"action":"tested","subject":"case/{seq}"}}'
        hashed = audit.link(prev, seq, body)
        yield {"seq": seq, "prev": prev.hex(), "hash": hashed.hex(), "body": body}
        prev = hashed


def walked(rows: list[Row], *witnesses: tuple[int, str, str]) -> str | None:
    walk = Walk(SERVICE)
    for witness in witnesses:
        walk.expect(*witness)
    for row in rows:
        walk.take(row)
    walk.end()
    return walk.fault


def altered(rows: list[Row]) -> None:
    rows[2]["body"] += " "


def rehashed(rows: list[Row]) -> None:
    rows[2]["body"] += " "
    rows[2]["hash"] = audit.link(bytes.fromhex(rows[2]["prev"]), 3, rows[2]["body"]).hex()


def removed(rows: list[Row]) -> None:
    del rows[2:4]


def removed_at_the_beginning(rows: list[Row]) -> None:
    del rows[0]


def renumbered(rows: list[Row]) -> None:
    del rows[2]
    for row in rows[2:]:
        row["seq"] -= 1


def swapped(rows: list[Row]) -> None:
    rows[2], rows[3] = rows[3] | {"seq": 3}, rows[2] | {"seq": 4}


def of_another_service(rows: list[Row]) -> None:
    rows[:] = written(5, "hazards")


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda rows: None, None),
        (altered, "row 3 was altered"),
        (rehashed, "row 3 or row 4 was rewritten: one does not follow the other"),
        (removed, "rows 3 to 4 were removed"),
        (removed_at_the_beginning, "row 1 was removed"),
        (renumbered, "row 3 stands where another was written"),
        (swapped, "row 3 stands where another was written"),
        (of_another_service, "row 0 or row 1 was rewritten: one does not follow the other"),
    ],
)
def test_the_first_row_that_is_not_as_it_was_is_named(tamper: Callable[[list[Row]], None], fault: str | None):
    rows = list(written(5))
    tamper(rows)

    assert walked(rows) == fault


def test_a_tail_that_was_cut_off_is_missed_by_who_saw_it():
    rows = list(written(5))

    assert walked(rows[:3]) is None
    assert walked(rows[:3], (5, rows[4]["hash"], ANCHOR)) == "rows 4 to 5 were removed"
    assert walked(rows[:4], (5, rows[4]["hash"], HEAD)) == "row 5 was removed"
    assert walked([], (1, rows[0]["hash"], ANCHOR)) == "row 1 was removed"


def test_a_chain_that_was_written_anew_is_another_than_was_anchored():
    rows = list(written(5))

    assert walked(rows, (4, "00" * 32, ANCHOR)) == (
        "row 4 is another than the anchor on Kafka has: it was rewritten with all that follow"
    )
    assert walked(rows, (4, rows[3]["hash"], ANCHOR), (4, rows[3]["hash"], ANCHOR)) is None


def test_a_long_chain_is_walked_in_little_memory():
    walk = Walk(SERVICE)
    tracemalloc.start()

    for row in written(100_000):
        walk.take(row)
    walk.end()

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (walk.rows, walk.fault) == (100_000, None)
    assert most < 1024 * 1024


def pages(rows: list[Row]) -> Callable[[Heard], Says]:
    """What a service says of these rows, page by page."""
    head = {"seq": rows[-1]["seq"], "hash": rows[-1]["hash"]} if rows else {"seq": 0, "hash": ""}

    def say(heard: Heard) -> Says:
        first, limit = int(heard.query.get("cursor", 0)), int(heard.query["limit"])
        left = [row for row in rows if row["seq"] > first]
        following = str(left[limit - 1]["seq"]) if len(left) > limit else None
        return Says({"items": left[:limit], "next": following, "head": head})

    return say


@pytest.fixture
def verify(cli_home: Path, doors: Doors, fengsui):
    """Every service has two rows, unless a test says otherwise."""
    for service in OFFSETS:
        doors.say(service, PATH, pages(list(written(2, service))))
    return lambda *words, **env: fengsui("audit", "verify", "--home", cli_home, *words, **env)


def test_chains_of_many_pages_hold(doors: Doors, verify):
    doors.say(SERVICE, PATH, pages(list(written(5000))))

    ran = verify("--service", SERVICE)

    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()][1] == [SERVICE, "5000", "?", "holds"]
    assert len(doors.to(PATH)) == 3


def test_the_service_whose_chain_is_broken_is_named(doors: Doors, verify):
    rows = list(written(3))
    altered(rows)
    doors.say(SERVICE, PATH, pages(rows))

    ran = verify("--service", SERVICE)

    assert ran.code == 1
    assert ran.out.splitlines()[1].split(maxsplit=3) == [SERVICE, "3", "?", "row 3 was altered"]


def test_it_is_said_when_there_was_nothing_to_compare_with(verify):
    silent = verify("--service", SERVICE)
    away = verify("--service", SERVICE, FENGSUI_KAFKA="127.0.0.1:1")

    assert (silent.code, away.code) == (0, 0)
    assert "the anchors were not compared" in silent.err
    assert "Kafka does not answer at 127.0.0.1:1" in away.err


# On the real platform, by who may do everything there


@pytest.fixture
async def trail(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The superuser before reporting's trail of five rows that is anchored; all is put back in the end."""
    ask = await connect(stack.postgres.dsn(f"{SERVICE}_ask"), "test")
    staff = Staff("ops", Role.OPS, "220000")
    for turn in range(5):
        async with ask.transaction():
            await audit.record(ask, staff, "tested", f"turn/{turn}")
    await ask.close()
    work = await connect(stack.postgres.dsn(f"{SERVICE}_work"), "test")
    async with work.transaction():
        await audit.anchor(work, SERVICE)
    await until(lambda: work.fetchval("SELECT count(*) = 0 FROM outbox WHERE sent_at IS NULL"))
    await work.close()
    db = await asyncpg.connect(in_our_database(stack.postgres.admin_dsn))
    await db.execute(f"SET search_path = {SERVICE}; CREATE TEMPORARY TABLE rows AS SELECT * FROM audit")
    await db.execute("CREATE TEMPORARY TABLE head AS SELECT * FROM audit_head")
    yield db
    await db.execute("TRUNCATE audit; ALTER TABLE audit DISABLE TRIGGER append")
    await db.execute("INSERT INTO audit (seq, prev, hash, body) SELECT seq, prev, hash, body FROM rows ORDER BY seq")
    await db.execute("ALTER TABLE audit ENABLE TRIGGER append")
    await db.execute("UPDATE audit_head a SET seq = h.seq, hash = h.hash, said = h.said FROM head h")
    await db.close()


@pytest.fixture
def proven(stack: Stack, fengsui):
    here = ("--url", f"http://127.0.0.1:{stack.base}", "--token", mint(stack.home, "test", "ops", "220000"))

    def run(service: str = SERVICE) -> tuple[int, str]:
        ran = fengsui("audit", "verify", "--service", service, *here, FENGSUI_KAFKA=stack.kafka)
        assert "not compared" not in ran.err
        return ran.code, ran.out.splitlines()[1].split(maxsplit=3)[3]

    return run


CUT = "DELETE FROM audit WHERE seq > {2};"
AGAIN = "UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1);"
MORE = "INSERT INTO audit (body) SELECT body FROM rows ORDER BY seq LIMIT 2"


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT 1", "holds"),
        ("UPDATE audit SET body = replace(body, 'turn', 'torn') WHERE seq = {2}", "row {2} was altered"),
        ("DELETE FROM audit WHERE seq = {2}", "row {2} was removed"),
        (
            "UPDATE audit a SET body = b.body FROM audit b WHERE a.seq IN ({0}, {1}) AND b.seq = {0} + {1} - a.seq",
            "row {1} was altered",
        ),
        (
            "UPDATE audit SET seq = -seq WHERE seq >= {1}; UPDATE audit SET seq = {0} + {1} + seq WHERE seq < 0",
            "row {1} stands where another was written",
        ),
        (CUT, "rows {1} to {0} were removed"),
        (CUT + AGAIN, "rows {1} to {0} were removed"),
        (CUT + AGAIN + MORE, "row {0} is another"),
    ],
    ids=["untouched", "altered", "removed", "bodies swapped", "reordered", "cut", "cut with its head", "written anew"],
)
async def test_a_superuser_leaves_traces(trail: asyncpg.Connection, proven, sql: str, fault: str):
    last = await trail.fetchval("SELECT max(seq) FROM audit")
    places = [last - back for back in range(3)]
    await trail.execute(sql.format(*places))

    code, said = proven()

    wanted = fault.format(*places)
    assert (code, said[: len(wanted)]) == (0 if fault == "holds" else 1, wanted)


@pytest.mark.kafka
async def test_every_service_tells_its_own_trail_to_who_may_read_it(stack: Stack, trail: asyncpg.Connection):
    first = await stack.get(SERVICE, "/v1/audit?action=tested&limit=2", role="ops")
    following = await stack.get(SERVICE, f"/v1/audit?action=tested&limit=2&cursor={first['next']}", role="ops")
    nobody = await stack.get(SERVICE, "/v1/audit?actor=nobody", role="admin")
    later = await stack.get(SERVICE, "/v1/audit?since=2099-01-01T00:00:00%2B08:00", role="admin")

    subjects = [item["subject"] for item in first["items"] + following["items"]]
    assert subjects == ["turn/4", "turn/3", "turn/2", "turn/1"]
    assert (nobody["items"], later["items"]) == ([], [])


@pytest.mark.kafka
@pytest.mark.parametrize("path", ["/v1/audit", PATH])
@pytest.mark.parametrize(
    ("role", "region"), [("viewer", "220000"), ("officer", "220203"), ("manager", "220000"), ("ops", "220200")]
)
async def test_the_trail_is_for_ops_and_admins_of_the_province(stack: Stack, path: str, role: str, region: str):
    async with stack.session.get(stack.url(SERVICE, path), headers=stack.headers(role, region)) as answer:
        assert answer.status == 403
