"""hazards before a real PostgreSQL, and an enterprise on the stack that has cases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from shared import inbox
from shared.consumer import Taking
from shared.database import connect
from shared.events.event import Event
from tests.ingest.conftest import settle
from tests.ingest.pushing import Plant
from tests.stack import Stack

Hear = Callable[[Taking, Sequence[Event]], Awaitable[dict[Any, str]]]


@pytest.fixture
async def db(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection as hazards' consumer and timers have it, in a transaction that is rolled back."""
    line = await connect(in_our_database(postgres.admin_dsn), "test", search_path="hazards")
    transaction = line.transaction()
    await transaction.start()
    await line.execute("SET LOCAL ROLE hazards_work")
    yield line
    await transaction.rollback()
    await line.close()


@pytest.fixture
async def hear(db: asyncpg.Connection) -> Hear:
    """Takes a batch as the consumer does: new events to the handler, their verdicts to the inbox; what was held."""

    async def heard(taking: Taking, events: Sequence[Event]) -> dict[Any, str]:
        distinct = list({event.id: event for event in events if taking.concerns(event)}.values())
        taken = await inbox.take_in(db, distinct)
        new = [event for event in distinct if event.id in taken.new]
        held = dict(await taking.handle(db, new) or {}) if new else {}
        await inbox.hold(db, held)
        return held

    return heard


@pytest.fixture(scope="session")
async def plant(stack: Stack) -> Plant:
    """An enterprise in Longtan (龙潭区 220203), a county of Jilin city."""
    return await settle(stack, 7201)


@pytest.fixture(scope="session")
async def far_plant(stack: Stack) -> Plant:
    """An enterprise in another city: Nanguan (南关区 220102), a county of Changchun."""
    return await settle(stack, 7202, "220102")
