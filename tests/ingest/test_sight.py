"""Nobody sees an enterprise, its points, sources or keys of another region or enterprise, by SQL or by HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from services.ingest.domain.keys import Key, hashed
from shared.sight import seeing
from tests.eyes import EYES, NEAR, PLANTS, Face, counted, face

pytestmark = pytest.mark.postgres

TABLES = ("enterprises", "points", "keys", "sources")
KEY = Key("sight234", "5" * 40)
ENTERPRISES = """
INSERT INTO ingest.enterprises (uscc, name, region, industry)
SELECT uscc, uscc, region, 'food' FROM unnest($1::text[], $2::text[]) AS g(uscc, region)
"""
OTHERS = (
    "INSERT INTO ingest.points (uscc, point, name) SELECT uscc, 'T-1', 'tank' FROM unnest($1::text[]) AS g(uscc)",
    "INSERT INTO ingest.keys (prefix, uscc, name, hash, created_by)"
    " SELECT 'k' || uscc, uscc, 'key', '', 'test' FROM unnest($1::text[]) AS g(uscc)",
    "INSERT INTO ingest.sources (uscc, source, heard_at)"
    " SELECT uscc, '//test', now() FROM unnest($1::text[]) AS g(uscc)",
)


@pytest.fixture(scope="module")
async def registry(postgres: Postgres, home: Path) -> AsyncIterator[Face]:
    """ingest, with each plant registered, and one key that is known."""
    admin = await asyncpg.connect(in_our_database(postgres.admin_dsn))
    try:
        await admin.execute(ENTERPRISES, list(PLANTS), list(PLANTS.values()))
        for statement in OTHERS:
            await admin.execute(statement, list(PLANTS))
        await admin.execute(
            "INSERT INTO ingest.keys (prefix, uscc, name, hash, created_by) VALUES ($1, $2, 'known', $3, 'test')",
            KEY.prefix,
            NEAR,
            hashed(KEY.secret),
        )
        async with face(postgres, home, "ingest") as here:
            yield here
    finally:
        for table in reversed(TABLES):
            await admin.execute(f"DELETE FROM ingest.{table} WHERE uscc = ANY($1)", list(PLANTS))
        await admin.close()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("eye", EYES)
async def test_each_table_shows_what_is_in_sight(registry: Face, eye, table):
    staff, plants = EYES[eye]
    async with seeing(registry.service.ask, staff) as db:
        seen = {row["uscc"] for row in await db.fetch(f"SELECT uscc FROM {table}")}
        regions = {row["region"] for row in await db.fetch("SELECT region FROM enterprises")}

    assert seen & set(PLANTS) == plants
    assert all(region.startswith(staff.prefix) for region in regions)


async def test_nothing_is_seen_where_nobody_said_who_asks(registry: Face):
    async with registry.service.ask.acquire() as db:
        assert await counted(db) == {}


@pytest.mark.parametrize("path", ["/v1/enterprises?limit=500", "/v1/points?limit=1", "/v1/sources?limit=500"])
@pytest.mark.parametrize("eye", EYES)
async def test_each_list_shows_what_is_in_sight(registry: Face, eye, path):
    staff, plants = EYES[eye]
    found: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        page = (await registry.ask(staff, path + (f"&cursor={cursor}" if cursor else ""))).json()
        found |= {each["uscc"] for each in page["items"]}
        cursor = page["next"]

    assert found & set(PLANTS) == plants


@pytest.mark.parametrize("eye", ["county", "enterprise", "elsewhere"])
async def test_a_strangers_points_are_asked_for_in_vain(registry: Face, eye):
    staff, plants = EYES[eye]

    for plant in PLANTS:
        answer = await registry.ask(staff, f"/v1/points?enterprise={plant}")
        assert [each["uscc"] for each in answer.json()["items"]] == ([plant] if plant in plants else [])


@pytest.mark.parametrize("eye", [eye for eye in EYES if eye != "province"])
async def test_nothing_is_registered_out_of_sight(registry: Face, eye):
    staff, plants = EYES[eye]
    for plant in PLANTS.keys() - plants:
        async with seeing(registry.service.ask, staff) as db:
            revoked = await db.execute("UPDATE keys SET revoked_at = now(), revoked_by = 'eve' WHERE uscc = $1", plant)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with seeing(registry.service.ask, staff) as db:
                await db.execute("INSERT INTO points (uscc, point, name) VALUES ($1, 'T-9', 'new')", plant)
        assert revoked == "UPDATE 0"


async def test_the_door_knows_a_key_before_it_knows_who_asks(registry: Face):
    pushed = await registry.client.post(
        "/v1/events?dry_run=true",
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/cloudevents-batch+json"},
        content=b'[{"specversion":"1.0","id":"1","source":"//t","type":"fengsui.hazard.v1",'
        b'"data":{"title":"x","category":"fire"}}]',
    )

    assert (pushed.status_code, pushed.json()["accepted"]) == (202, 1)
