"""Nobody sees a figure, a fact or a name of another region or enterprise, by SQL or by HTTP."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import openpyxl
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from shared.database import connect
from shared.sight import seeing
from tests.eyes import EYES, PLANTS, Face, counted, face, id_of

pytestmark = pytest.mark.postgres

FILL = (
    """INSERT INTO reporting.facts (id, measure, at, day, region, industry, level, grade, enterprise, case_id, took)
    SELECT id, 'alarms', '2031-01-02', '2031-01-02', region, 'food', 'red', '', plant, NULL, 0
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
    """INSERT INTO reporting.rollups (measure, day, region, industry, level, grade, enterprise, count, sum, max)
    SELECT 'alarms', '2031-01-02', region, 'food', 'red', '', plant, 1, 0, 0
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
    """INSERT INTO reporting.cases (id, version, state, region, industry, level, grade, enterprise, opened_at,
    opened_on)
    SELECT id, 1, 'reported', region, 'food', 'red', '', plant, '2031-01-02', '2031-01-02'
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
    """INSERT INTO reporting.enterprises (uscc, version, name) SELECT plant, 1, 'name ' || plant
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g(id, plant, region)""",
)
OF = {"facts": "enterprise", "rollups": "enterprise", "cases": "enterprise", "enterprises": "uscc"}


@pytest.fixture(scope="module")
async def desk(postgres: Postgres, home: Path) -> AsyncIterator[Face]:
    """reporting, with an alarm and a case of each plant."""
    admin: asyncpg.Connection = await connect(in_our_database(postgres.admin_dsn), "test")
    try:
        for statement in FILL:
            await admin.execute(statement, [id_of(plant) for plant in PLANTS], list(PLANTS), list(PLANTS.values()))
        async with face(postgres, home, "reporting") as here:
            yield here
    finally:
        for table, column in OF.items():
            await admin.execute(f"DELETE FROM reporting.{table} WHERE {column} = ANY($1)", list(PLANTS))
        await admin.close()


@pytest.mark.parametrize("table", OF)
@pytest.mark.parametrize("eye", EYES)
async def test_each_table_shows_what_is_in_sight(desk: Face, eye, table):
    staff, plants = EYES[eye]
    async with seeing(desk.service.ask, staff, "repeatable_read") as db:
        seen = {row[0] for row in await db.fetch(f"SELECT {OF[table]} FROM {table}")}

    assert seen & set(PLANTS) == plants


async def test_nothing_is_seen_where_nobody_said_who_asks(desk: Face):
    async with desk.service.ask.acquire() as db:
        assert await counted(db) == {}


@pytest.mark.parametrize("eye", EYES)
async def test_figures_and_names_are_of_what_is_in_sight(desk: Face, eye):
    staff, plants = EYES[eye]

    answer = await desk.ask(
        staff, "/v1/statistics?measure=alarms&measure=cases_open&group_by=enterprise&day=2031-01-02"
    )

    found = answer.json()
    assert {row["enterprise"] for row in found["rows"]} & set(PLANTS) == plants
    assert set(found["names"]) & set(PLANTS) == plants


@pytest.mark.parametrize("measure", ["alarms", "cases_open"])
@pytest.mark.parametrize("eye", EYES)
async def test_the_rows_behind_a_figure_are_those_in_sight(desk: Face, eye, measure):
    staff, plants = EYES[eye]

    answer = await desk.ask(staff, f"/v1/statistics/facts?measure={measure}&day=2031-01-02&limit=500")

    assert {PLANT_OF[row["id"]] for row in answer.json()["items"]} == plants


@pytest.mark.parametrize("eye", EYES)
async def test_a_report_counts_what_is_in_sight(desk: Face, eye):
    staff, plants = EYES[eye]

    book = (await desk.ask(staff, "/v1/reports/2031-01-02.xlsx")).content

    sheet = openpyxl.load_workbook(io.BytesIO(book), read_only=True)["按区划"]
    rows = [row for row in sheet.iter_rows(min_row=5, values_only=True) if row[0] != "合计"]
    assert sum(row[2] or 0 for row in rows) == len(plants)
    assert all(str(row[0]).startswith(staff.prefix) for row in rows)


PLANT_OF = {str(id_of(plant)): plant for plant in PLANTS}
