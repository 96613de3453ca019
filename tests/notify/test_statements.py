"""Every statement of notify fits its schema, and migrating twice changes nothing."""

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from shared.migrate import migrate
from shared.statements import statements
from tests.notify.stand import there


@pytest.mark.postgres
async def test_every_statement_fits_the_schema(owner: asyncpg.Connection) -> None:
    for name, sql in statements("services.notify").items():
        try:
            await owner.prepare(sql)
        except asyncpg.PostgresError as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.postgres
async def test_a_second_migration_does_nothing(notices: Postgres) -> None:
    assert await migrate(there(notices.admin_dsn), "notify") == []
