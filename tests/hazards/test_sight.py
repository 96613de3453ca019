"""Nobody sees a case, an alarm or a timeline of another region or enterprise, by SQL or by HTTP."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import openpyxl
import orjson
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from services.hazards import store
from shared.codes import regions
from shared.database import connect
from shared.sight import SEE, seeing, whole
from shared.vocabulary import Tier
from tests.eyes import EYES, PLANTS, Face, counted, face, id_of
from tests.hazards.desk import BODIES

pytestmark = pytest.mark.postgres

FILL = """
INSERT INTO hazards.cases (id, cause, version, state, level, title, enterprise, enterprise_name, region, industry,
    opened_at, overdue, tier, occurrences, active)
SELECT id, id, 1, 'reported', 'red', 'title ' || plant, plant, 'name ' || plant, region, 'food', now(), false, 'county',
    1, '{red}' FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)
"""
STEPS = """
INSERT INTO hazards.timeline (case_id, version, id, at, kind, by, detail)
SELECT id, 1, id, now(), 'opened', 'test', '{}' FROM unnest($1::uuid[]) AS g(id)
"""
ALARMS = """
INSERT INTO hazards.alarms (enterprise, point, level, region, industry, enterprise_name, state, raised_at, occurrences,
    case_id)
SELECT plant, 'T-1', 'red', region, 'food', 'name ' || plant, 'raised', now(), 1, id
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)
"""


@pytest.fixture(scope="module")
async def admin(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, with a case, an alarm and a timeline of each plant there."""
    db = await connect(in_our_database(postgres.admin_dsn), "test")
    ids = [id_of(plant) for plant in PLANTS]
    try:
        for statement in (FILL, ALARMS):
            await db.execute(statement, ids, list(PLANTS), list(PLANTS.values()))
        await db.execute(STEPS, ids)
        yield db
    finally:
        for table in ("cases", "alarms"):
            await db.execute(f"DELETE FROM hazards.{table} WHERE enterprise = ANY($1)", list(PLANTS))
        await db.execute("DELETE FROM hazards.timeline WHERE case_id = ANY($1)", ids)
        await db.close()


@pytest.fixture(scope="module")
async def desk(postgres: Postgres, home: Path, admin: asyncpg.Connection) -> AsyncIterator[Face]:
    async with face(postgres, home, "hazards") as asked:
        yield asked


@pytest.mark.parametrize("eye", EYES)
async def test_each_table_shows_what_is_in_sight(desk: Face, eye):
    staff, plants = EYES[eye]
    async with seeing(desk.service.ask, staff) as db:
        cases = await db.fetch("SELECT enterprise, region FROM cases")
        alarms = await db.fetch("SELECT enterprise, region FROM alarms")
        steps = await db.fetch("SELECT case_id FROM timeline")

    for rows in (cases, alarms):
        assert all(staff.sees(row["region"], row["enterprise"]) for row in rows)
        assert {row["enterprise"] for row in rows} & set(PLANTS) == plants
    ours = {id_of(plant) for plant in PLANTS}
    assert {row["case_id"] for row in steps} & ours == {id_of(plant) for plant in plants}


@pytest.mark.parametrize("region", ["", None, "2", "220203x", "%"])
async def test_a_sight_that_is_none_sees_nothing(desk: Face, region):
    async with desk.service.ask.acquire() as db, db.transaction():
        await db.execute(SEE, region, "" if region in {"", "2"} else "*")
        assert await counted(db) == {} or region is None

    async with desk.service.ask.acquire() as db:
        assert await counted(db) == {}


async def listed(desk: Face, eye: str, path: str) -> set[str]:
    """Plants that a list shows, page by page."""
    found: set[str] = set()
    cursor = ""
    while True:
        answer = await desk.ask(EYES[eye][0], path + cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found |= {each["uscc"] if "uscc" in each else each["enterprise"]["uscc"] for each in page["items"]}
        if page["next"] is None:
            return found & set(PLANTS)
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize(
    "path", ["/v1/cases?limit=500", "/v1/cases?limit=1", "/v1/alarms?limit=500", "/v1/alarms?order=gravest&limit=1",
             "/v1/board/enterprises?"]
)  # fmt: skip
@pytest.mark.parametrize("eye", EYES)
async def test_each_list_shows_what_is_in_sight(desk: Face, admin: asyncpg.Connection, eye, path):
    assert await listed(desk, eye, path) == EYES[eye][1]


@pytest.mark.parametrize("eye", EYES)
async def test_the_counters_count_what_is_in_sight(desk: Face, eye):
    staff, plants = EYES[eye]
    async with seeing(desk.service.ask, staff) as db:
        cases = await db.fetchval("SELECT count(*) FROM cases WHERE state NOT IN ('closed', 'void')")

    counts = (await desk.ask(staff, "/v1/board")).json()

    assert counts["cases"]["open"] == cases >= len(plants)


@pytest.mark.parametrize("eye", EYES)
async def test_each_export_holds_what_is_in_sight(desk: Face, eye):
    staff, plants = EYES[eye]
    lines, table, book = [
        (await desk.ask(staff, f"/v1/cases/export?format={form}")).content for form in ("jsonl", "csv", "xlsx")
    ]

    cases = [orjson.loads(line) for line in lines.splitlines()]
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(book), read_only=True).active
    assert sheet is not None
    cells = {str(cell) for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {case["enterprise"]["uscc"] for case in cases} & set(PLANTS) == plants
    assert all(case["timeline"] for case in cases if case["enterprise"]["uscc"] in plants)
    assert {row["统一社会信用代码"] for row in rows} & set(PLANTS) == plants
    assert cells & set(PLANTS) == plants


@pytest.mark.parametrize("eye", EYES)
async def test_a_strangers_case_is_not_there(desk: Face, eye):
    staff, plants = EYES[eye]
    missing = await desk.ask(staff, f"/v1/cases/{id_of('nobody')}")
    for plant in PLANTS:
        answer = await desk.ask(staff, f"/v1/cases/{id_of(plant)}")
        assert answer.status_code == (200 if plant in plants else 404), answer.text
        if plant not in plants:
            assert answer.json() == missing.json()
            for action, body in BODIES.items():
                step = await desk.ask(
                    staff, f"/v1/cases/{id_of(plant)}/{action}", "POST", json=body, headers={"If-Match": '"1"'}
                )
                assert (step.status_code, step.json()) == (404, missing.json()), action


@pytest.mark.parametrize("eye", [eye for eye in EYES if eye != "province"])
async def test_nothing_is_written_out_of_sight(desk: Face, admin: asyncpg.Connection, eye):
    staff, plants = EYES[eye]
    for plant in PLANTS.keys() - plants:
        async with seeing(desk.service.ask, staff) as db:
            changed = await db.execute("UPDATE cases SET grade = 'major' WHERE id = $1", id_of(plant))
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with seeing(desk.service.ask, staff) as db:
                await db.execute(
                    "INSERT INTO timeline (case_id, version, id, at, kind, by, detail)"
                    " VALUES ($1, 9, $1, now(), 'commented', 'eve', '{}')",
                    id_of(plant),
                )
        assert changed == "UPDATE 0"


async def test_a_pool_of_one_carries_no_sight_from_one_to_the_next(postgres: Postgres, home: Path, desk: Face):
    dice, wrong, cut = Random(5), [], 0
    async with face(postgres, home, "hazards", size=1) as narrow:

        async def look(eye: str) -> set[str]:
            async with seeing(narrow.service.ask, EYES[eye][0]) as db:
                await asyncio.sleep(0)
                rows = await db.fetch("SELECT enterprise FROM cases WHERE enterprise = ANY($1)", list(PLANTS))
                return {row["enterprise"] for row in rows}

        for turn in range(600):
            eye = dice.choice(list(EYES))
            looking = asyncio.create_task(look(eye))
            if turn % 6 == 0:
                await asyncio.sleep(dice.random() * 0.002)
                looking.cancel()
            try:
                if await looking != EYES[eye][1]:
                    wrong.append((turn, eye))
            except asyncio.CancelledError:
                cut += 1
            if turn % 6 == 1:
                async with narrow.service.ask.acquire() as db:
                    wrong += [(turn, "nobody")] * await db.fetchval("SELECT count(*) FROM cases")

    assert wrong == []
    assert cut > 20


async def test_whoever_knows_no_asker_yet_sees_the_whole(desk: Face):
    async with whole(desk.service.ask) as db:
        found = await db.fetchval("SELECT count(*) FROM cases WHERE enterprise = ANY($1)", list(PLANTS))

    assert found == len(PLANTS)


MANY = """
INSERT INTO cases (id, cause, version, state, level, title, enterprise, enterprise_name, region, industry, opened_at,
    overdue, tier, occurrences, active)
SELECT gen_random_uuid(), gen_random_uuid(), 1, CASE WHEN n % 10 = 0 THEN 'reported' ELSE 'closed' END, 'red', 'title',
    'plant' || n % 600, 'name', ($1::text[])[1 + n % array_length($1, 1)], 'food', now() - n * interval '1 minute',
    false, 'county', 1, '{}' FROM generate_series(1, 100000) AS n
"""
MANY_ALARMS = """
INSERT INTO alarms (enterprise, point, level, region, industry, enterprise_name, state, raised_at, occurrences)
SELECT 'plant' || n % 600, 'T-' || n, 'red', ($1::text[])[1 + n % array_length($1, 1)], 'food', 'name',
    CASE WHEN n % 10 = 0 THEN 'raised' ELSE 'cleared' END, now() - n * interval '1 minute', 1
FROM generate_series(1, 20000) AS n
"""


@pytest.fixture(scope="module")
async def crowded(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """As ask sees it, in a transaction that is rolled back: 100,000 cases and 20,000 points all over the province."""
    counties = [code for code, region in regions().items() if region.tier is Tier.COUNTY]
    db = await connect(in_our_database(postgres.admin_dsn), "test", search_path="hazards")
    transaction = db.transaction()
    await transaction.start()
    await db.execute("SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    try:
        await db.execute(MANY, counties, timeout=120)
        await db.execute(MANY_ALARMS, counties, timeout=120)
        await db.execute("ANALYZE cases; ANALYZE alarms; SET LOCAL ROLE hazards_ask")
        yield db
    finally:
        await transaction.rollback()
        await db.close()


def scanned(plan: dict[str, Any]) -> list[str]:
    """Tables that a plan reads from end to end."""
    found = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return found + [name for inner in plan.get("Plans", ()) for name in scanned(inner)]


@pytest.mark.parametrize("eye", ["province", "city", "county"])
@pytest.mark.parametrize(
    ("statement", "empty"), [("LIST_CASES", 11), ("LIST_ALARMS", 11), ("LIST_GRAVEST", 12)]
)  # fmt: skip
async def test_a_page_is_found_by_an_index_among_a_hundred_thousand(crowded: asyncpg.Connection, eye, statement, empty):
    staff, _ = EYES[eye]
    await crowded.execute(SEE, staff.prefix, "*")

    (explained,) = await crowded.fetchval(
        f"EXPLAIN (FORMAT JSON) {getattr(store, statement)}", staff.prefix, None, *[None] * empty, 51
    )

    assert scanned(explained["Plan"]) == []
