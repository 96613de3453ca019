"""Nobody sees a notification, a call or a roster of another region or enterprise, by SQL or by HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from services.notify.store.calls import LIST_NOTIFICATIONS
from shared.access import Staff
from shared.codes import regions
from shared.database import connect
from shared.sight import SEE, seeing
from shared.vocabulary import Role, Tier
from tests.eyes import EYES, FAR, NEAR, PLANTS, Face, counted, face, id_of
from tests.notify.stand import ALWAYS

pytestmark = pytest.mark.postgres

FILL = (
    """INSERT INTO notify.cases (id, first_created_at) SELECT id, now() FROM unnest($1::uuid[], $2::text[], $3::text[])
    AS g(id, plant, region)""",
    """INSERT INTO notify.calls (id, case_id, kind, is_alarm, level, title, region, enterprise, industry, occurred_at,
    opened_at, first_created_at, state, tier)
    SELECT id, id, 'opened', true, 'red', 'title', region, plant, 'food', now(), now(), now(), 'open', 'county'
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
    """INSERT INTO notify.notifications (id, call_id, case_id, region, enterprise, tier, contact, on_duty, state,
    created_at) SELECT id, id, id, region, plant, 'county', 'sight-' || region, true, 'sent', now()
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
    """INSERT INTO notify.deliveries (id, notification_id, call_id, place, contact, message, state, tries, due_at, body)
    SELECT id, id, id, 0, 'sight-' || region, 'created', 'delivered', 1, now(), ''
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
    """INSERT INTO notify.attempts (delivery_id, try, notification_id, message, channel, outcome, detail)
    SELECT id, 1, id, 'created', 'webhook', 'delivered', '' FROM unnest($1::uuid[], $2::text[], $3::text[])
    AS g(id, plant, region)""",
)
PEOPLE = ("220000", "220200", "220203", "220202", "220100", "220102")
"""A contact named by it on duty in each of these regions."""
CONTACTS = """
INSERT INTO notify.contacts (contact, name, region, role) SELECT 'sight-' || region, region, region, 'officer'
FROM unnest($1::text[]) AS g(region)
"""
ROSTERS = """
INSERT INTO notify.rosters (roster, region, contact, starts_at, ends_at, position)
SELECT 'sight', region, 'sight-' || region, '2020-01-01', '2099-01-01', 'primary' FROM unnest($1::text[]) AS g(region)
"""


@pytest.fixture(scope="module")
async def board(postgres: Postgres, home: Path) -> AsyncIterator[Face]:
    """notify, with a call, a notification and an attempt of each plant."""
    admin = await connect(in_our_database(postgres.admin_dsn), "test")
    ids = [id_of(plant) for plant in PLANTS]
    try:
        for statement in FILL:
            await admin.execute(statement, ids, list(PLANTS), list(PLANTS.values()))
        for statement in (CONTACTS, ROSTERS):
            await admin.execute(statement, PEOPLE)
        async with face(postgres, home, "notify") as here:
            yield here
    finally:
        for table in ("cases", "calls", "notifications", "deliveries"):
            await admin.execute(f"DELETE FROM notify.{table} WHERE id = ANY($1)", ids)
        await admin.execute("DELETE FROM notify.attempts WHERE delivery_id = ANY($1)", ids)
        for table in ("rosters", "contacts"):
            await admin.execute(f"DELETE FROM notify.{table} WHERE contact LIKE 'sight-%'")
        await admin.close()


@pytest.mark.parametrize(
    ("table", "column"),
    [("calls", "id"), ("notifications", "id"), ("cases", "id"), ("deliveries", "id"), ("attempts", "delivery_id")],
)
@pytest.mark.parametrize("eye", EYES)
async def test_each_table_shows_what_is_in_sight(board: Face, eye, table, column):
    staff, plants = EYES[eye]
    async with seeing(board.service.ask, staff) as db:
        seen = {row[column] for row in await db.fetch(f"SELECT {column} FROM {table}")}

    assert seen & {id_of(plant) for plant in PLANTS} == {id_of(plant) for plant in plants}


async def test_nothing_is_seen_where_nobody_said_who_asks(board: Face):
    async with board.service.ask.acquire() as db:
        assert await counted(db) == {}


async def names(board: Face, staff: Staff, table: str) -> set[str]:
    async with seeing(board.service.ask, staff) as db:
        rows = await db.fetch(f"SELECT contact FROM {table} WHERE contact LIKE 'sight-%'")
        return {row["contact"].removeprefix("sight-") for row in rows}


@pytest.mark.parametrize("table", ["contacts", "rosters"])
async def test_the_duty_of_ones_own_regions_and_of_those_above_is_seen(board: Face, table):
    eyes = ("province", "city", "county", "enterprise")
    province, city, county, plant = [await names(board, EYES[eye][0], table) for eye in eyes]

    assert province == set(PEOPLE)
    assert city == {"220000", "220200", "220203", "220202"}
    assert county == plant == {"220000", "220200", "220203"}


@pytest.mark.parametrize("eye", EYES)
async def test_each_list_shows_what_is_in_sight(board: Face, eye):
    staff, plants = EYES[eye]
    found: set[str] = set()
    for query in ("limit=500", *(f"case={id_of(plant)}" for plant in PLANTS)):
        page = (await board.ask(staff, f"/v1/notifications?{query}")).json()
        found |= {each["id"] for each in page["items"]}

    ours = {str(id_of(plant)) for plant in PLANTS}
    assert found & ours == {str(id_of(plant)) for plant in plants}


@pytest.mark.parametrize("path", ["contacts", "rosters"])
async def test_lists_of_people_show_those_of_ones_own_regions(board: Face, path):
    async def shown(eye: str) -> set[str]:
        page = (await board.ask(EYES[eye][0], f"/v1/{path}?limit=500")).json()
        return {each["contact"][6:] for each in page["items"] if each["contact"].startswith("sight-")}

    found = [await shown(eye) for eye in ("province", "city", "county", "enterprise", "elsewhere")]

    assert found == [set(PEOPLE), {"220200", "220203", "220202"}, {"220203"}, set(), {"220102"}]


@pytest.mark.parametrize("eye", EYES)
async def test_a_strangers_notification_is_not_there(board: Face, eye):
    staff, plants = EYES[eye]
    missing = (await board.ask(staff, f"/v1/notifications/{id_of('nobody')}")).json()
    for plant in PLANTS.keys() - plants:
        shown = await board.ask(staff, f"/v1/notifications/{id_of(plant)}")
        assert (shown.status_code, shown.json()) == (404, missing)
        if staff.may("acknowledge"):
            for path in (f"/v1/notifications/{id_of(plant)}/acknowledge", f"/v1/cases/{id_of(plant)}/acknowledge"):
                assert (await board.ask(staff, path, "POST")).status_code == 404, path


async def test_one_in_sight_is_answered_with_all_that_follows(board: Face):
    staff = Staff("zhao", Role.OFFICER, PLANTS[NEAR])

    answer = await board.ask(staff, f"/v1/notifications/{id_of(NEAR)}/acknowledge", "POST")

    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "zhao")


async def test_a_contact_of_another_region_answers_like_one_that_is_not(board: Face):
    manager = Staff("li", Role.MANAGER, "220203")

    async def rostered(name: str) -> Any:
        table = f"roster,region,contact,start,end,position\nr,220203,{name},{ALWAYS},primary\n"
        answer = await board.ask(
            manager, "/v1/rosters/import", "POST", content=table, headers={"Content-Type": "text/csv"}
        )
        return answer.status_code, answer.json()["errors"]

    assert await rostered("sight-220102") == await rostered("sight-nobody")


async def test_nothing_is_written_out_of_sight(board: Face):
    staff = Staff("li", Role.MANAGER, PLANTS[NEAR])
    async with seeing(board.service.ask, staff) as db:
        changed = [
            await db.execute("UPDATE notifications SET state = 'withdrawn' WHERE id = $1", id_of(FAR)),
            await db.execute("UPDATE calls SET state = 'ended' WHERE id = $1", id_of(FAR)),
            await db.execute("UPDATE contacts SET phone = '1' WHERE contact = 'sight-220200'"),
            await db.execute("UPDATE rosters SET region = '220203' WHERE contact = 'sight-220102'"),
            await db.execute("DELETE FROM routes"),
        ]

    assert changed == ["UPDATE 0"] * 4 + ["DELETE 0"]


MANY = """
INSERT INTO notifications (id, call_id, case_id, region, enterprise, tier, contact, on_duty, state, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), ($1::text[])[1 + n % array_length($1, 1)], 'plant',
    'county', 'somebody', true, 'sent', now() - n * interval '1 minute' FROM generate_series(1, 100000) AS n
"""


async def test_a_page_is_found_by_an_index_among_a_hundred_thousand(postgres: Postgres):
    counties = [code for code, region in regions().items() if region.tier is Tier.COUNTY]
    db = await connect(in_our_database(postgres.admin_dsn), "test", search_path="notify", transaction_timeout="0")
    transaction = db.transaction()
    await transaction.start()
    try:
        await db.execute(MANY, counties, timeout=120)
        await db.execute("ANALYZE notifications; SET LOCAL ROLE notify_ask")
        plans = []
        for eye in ("province", "city", "county"):
            await db.execute(SEE, EYES[eye][0].prefix, "*")
            rows = await db.fetch(f"EXPLAIN {LIST_NOTIFICATIONS}", EYES[eye][0].prefix, *[None] * 8, 51)
            plans.append("\n".join(row[0] for row in rows))
    finally:
        await transaction.rollback()
        await db.close()

    assert [plan for plan in plans if "Seq Scan" in plan] == []
