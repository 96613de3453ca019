"""The walls between regions stand in every table, and every route says who may ask it."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from fastapi import Depends, FastAPI

from deploy.local.postgres import Postgres
from deploy.local.walls import SERVICES, in_our_database
from shared.access import Staff, public, staff_with
from shared.database import connect, pool
from shared.rights import Declared, Undeclared, declared
from shared.service import Service
from shared.settings import Settings
from shared.sight import seeing, whole
from shared.vocabulary import Role
from tests.eyes import EYES, counted

KINDS = ("owner", "work", "ask")


@pytest.fixture
async def admin(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(in_our_database(postgres.admin_dsn))
    yield db
    await db.close()


@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_has_policies_that_hold_for_its_owner_too(admin: asyncpg.Connection, service):
    rows = await admin.fetch(
        "SELECT relname FROM pg_class c WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')"
        " AND relname <> 'migrations' AND NOT (relrowsecurity AND relforcerowsecurity"
        " AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid))",
        service,
    )

    assert [row["relname"] for row in rows] == []


@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_nobody_but_the_owner_touches_the_list_of_migrations(admin: asyncpg.Connection, service):
    granted = await admin.fetch(
        "SELECT grantee FROM information_schema.table_privileges"
        " WHERE table_schema = $1 AND table_name = 'migrations' AND grantee <> $2",
        service,
        f"{service}_owner",
    )

    assert granted == []


@pytest.mark.postgres
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("service", SERVICES)
async def test_no_role_of_ours_is_above_the_policies(admin: asyncpg.Connection, service, kind):
    role = await admin.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", f"{service}_{kind}")
    members = await admin.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1::oid", role["oid"])

    assert not any(role[right] for right in ("rolsuper", "rolcreaterole", "rolcreatedb", "rolbypassrls"))
    assert role["rolcanlogin"] == (kind != "owner")
    assert members == 0


@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_what_asks_may_neither_empty_a_table_nor_grow_rights(admin: asyncpg.Connection, service):
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v')"
        " AND has_table_privilege($2, oid, 'TRUNCATE, REFERENCES, TRIGGER')",
        service,
        f"{service}_ask",
    )

    assert rows == []


@pytest.mark.postgres
async def test_no_view_and_no_function_looks_past_the_policies_unbounded(admin: asyncpg.Connection):
    schemas = list(SERVICES)
    views = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text = ANY($1) AND relkind IN ('v', 'm')"
        " AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)",
        schemas,
    )
    functions = await admin.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace::regnamespace::text = ANY($1) AND prosecdef"
        " AND NOT coalesce(array_to_string(proconfig, ' ') ~ '^search_path=\\w+, pg_temp', false)",
        schemas,
    )

    assert (views, functions) == ([], [])


@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_whoever_does_not_say_who_asks_sees_nothing_anywhere(postgres: Postgres, service):
    db = await connect(postgres.dsn(f"{service}_ask"), "test")
    try:
        before = await counted(db)
        async with db.transaction():
            await db.execute(
                "SELECT set_config('fengsui.region', '22', true), set_config('fengsui.enterprise', '*', true)"
            )
            meanwhile = await counted(db)
        said = await db.fetchval("SELECT current_setting('fengsui.region')")
        after = await counted(db)
    finally:
        await db.close()

    assert (before, said, after) == ({}, "", {})
    assert service not in {"hazards", "notify"} or meanwhile


@pytest.mark.postgres
async def test_an_enterprise_of_the_province_is_not_the_province(postgres: Postgres):
    ask = await pool(postgres.dsn("notify_ask"), "test", 1)
    try:
        async with seeing(ask, Staff("plant", Role.ENTERPRISE, "220000", "91220203MA00000017")) as db:
            seen = await counted(db)
    finally:
        ask.terminate()

    assert set(seen) <= {"routes", "contacts", "rosters"}  # who answers, and how soon


@pytest.mark.postgres
async def test_what_is_only_read_cannot_be_changed(postgres: Postgres):
    ask = await pool(postgres.dsn("hazards_ask"), "test", 1)
    try:
        async with whole(ask) as db:
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await db.execute("UPDATE dead_letters SET note = ''")
    finally:
        ask.terminate()


@pytest.mark.postgres
async def test_events_can_be_said_but_not_read(postgres: Postgres):
    ask = await pool(postgres.dsn("hazards_ask"), "test", 1)
    try:
        async with seeing(ask, EYES["county"][0]) as db:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.fetch("SELECT * FROM outbox")
    finally:
        ask.terminate()


def test_a_service_with_a_route_of_no_declared_right_does_not_start(tmp_path: Path):
    def add(app: FastAPI) -> None:
        @app.get("/v1/forgotten")
        async def forgotten() -> None:
            """Nobody said who may."""

    with pytest.raises(Undeclared, match="/v1/forgotten"):
        Service("hazards", Settings(home=tmp_path), routes=add)


def test_a_route_asks_for_the_narrowest_of_its_rights():
    app = FastAPI(openapi_url=None)
    app.add_api_route("/a", lambda: None, dependencies=[Depends(staff_with("read")), Depends(staff_with("keys"))])
    app.add_api_route("/b", lambda: None, dependencies=[Depends(public)], methods=["POST"])

    found = list(declared(app))

    assert found == [Declared("GET", "/a", "keys"), Declared("POST", "/b", "public")]
    assert (found[0].may(Role.ADMIN), found[0].may(Role.OFFICER), found[1].may(Role.VIEWER)) == (
        "province",
        "no",
        "yes",
    )
