"""Every statement fits the migrated schema, and every service stays within its own."""

from importlib.resources import files

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import SERVICES, in_our_database
from shared.database import connect
from shared.migrate import migrate, scripts
from shared.statements import statements

pytestmark = pytest.mark.postgres

ROLES = [(service, kind) for service in SERVICES for kind in ("work", "ask")]


@pytest.mark.parametrize(("service", "kind"), ROLES)
async def test_every_statement_fits_the_schema(postgres: Postgres, service, kind):
    packages = [p for p in ("shared", f"services.{service}") if (files(p) / "queries.sql").is_file()]
    db = await connect(postgres.dsn(f"{service}_{kind}"), "test")
    try:
        for package in packages:
            for name, sql in statements(package).items():
                try:
                    await db.prepare(sql)
                except asyncpg.PostgresError as error:
                    pytest.fail(f"{package}: {name}: {error}")
    finally:
        await db.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_migrating_again_does_nothing(postgres: Postgres, service):
    done = await migrate(in_our_database(postgres.admin_dsn), service)

    assert done == []


@pytest.mark.parametrize("service", SERVICES)
async def test_every_migration_was_applied_once_and_in_order(postgres: Postgres, service):
    db = await asyncpg.connect(in_our_database(postgres.admin_dsn))
    try:
        rows = await db.fetch(f"SELECT name FROM {service}.migrations ORDER BY applied_at, name")
    finally:
        await db.close()

    names = [name for name, _ in scripts(service)]
    assert sorted(row["name"] for row in rows) == sorted(names)
    assert [name for name in names if name.startswith("shared/")] == names[: len(names) - len(own(names))]


def own(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("services.")]


@pytest.mark.parametrize(("service", "kind"), ROLES)
async def test_no_service_can_read_anothers_tables(postgres: Postgres, service, kind):
    db = await connect(postgres.dsn(f"{service}_{kind}"), "test")
    try:
        for other in set(SERVICES) - {service}:
            assert not await db.fetchval("SELECT has_schema_privilege($1, 'USAGE')", other)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.fetch(f"SELECT * FROM {other}.inbox")
    finally:
        await db.close()


@pytest.mark.parametrize(("service", "kind"), ROLES)
async def test_no_service_owns_anything_or_sees_past_its_rights(postgres: Postgres, service, kind):
    db = await connect(postgres.dsn(f"{service}_{kind}"), "test")
    try:
        role = await db.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        owned = await db.fetchval("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(f"CREATE TABLE {service}.mine (id int)")
    finally:
        await db.close()

    assert not any(role[right] for right in ("rolsuper", "rolcreaterole", "rolcreatedb", "rolbypassrls"))
    assert owned == 0
