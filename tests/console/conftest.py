"""What every test of the console may want."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.postgres import Postgres
from tests.console.replica import Replica, replica
from tests.stack import Stack


@pytest.fixture(scope="session")
async def console(postgres: Postgres) -> AsyncIterator[Replica]:
    """A console in this process, without the services behind it."""
    async with replica(postgres) as made:
        yield made


@pytest.fixture(scope="session")
async def desk(stack: Stack) -> AsyncIterator[Replica]:
    """A console in this process, before services at work."""
    async with replica(stack.postgres, port_base=stack.base) as made:
        yield made
