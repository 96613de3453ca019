"""reporting with a database of its own on the real PostgreSQL, and its door on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import aiohttp
import asyncpg
import pytest
import uvicorn

from deploy.local import secrets
from deploy.local.postgres import Postgres
from deploy.tokens import mint
from services.reporting.app import build
from shared import inbox
from shared.consumer import Taking
from shared.database import Connection, connect, pool
from shared.events.event import Event
from shared.migrate import migrate
from shared.settings import Settings

DATABASE = "figures"
TABLES = "facts, rollups, cases, enterprises, inbox, dead_letters"
WALLS = """
CREATE SCHEMA reporting AUTHORIZATION reporting_owner;
GRANT USAGE ON SCHEMA reporting TO reporting_work, reporting_ask
"""

Hear = Callable[[Taking, Sequence[Event]], Awaitable[dict[UUID, str]]]


def there(dsn: str) -> str:
    """The same server and role, in the tests' database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{DATABASE}"))


async def take(db: Connection, taking: Taking, events: Sequence[Event]) -> dict[UUID, str]:
    """One batch as the consumer takes it: the new events to the handler, its verdicts to the inbox."""
    distinct = list({event.id: event for event in events if taking.concerns(event)}.values())
    taken = await inbox.take_in(db, distinct)
    new = [event for event in distinct if event.id in taken.new]
    held = dict(await taking.handle(db, new) or {}) if new else {}
    await inbox.hold(db, held)
    return held


@pytest.fixture(scope="session")
async def figures(postgres: Postgres) -> Postgres:
    """The server, with an empty reporting schema in a database that no other test uses."""
    server = await asyncpg.connect(postgres.admin_dsn)
    await server.execute(f"CREATE DATABASE {DATABASE}")
    await server.close()
    owner = await asyncpg.connect(there(postgres.admin_dsn))
    await owner.execute(WALLS)
    await owner.close()
    await migrate(there(postgres.admin_dsn), "reporting")
    return postgres


@pytest.fixture
async def owner(figures: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do anything, to a database that is empty when the test begins."""
    line = await connect(there(figures.admin_dsn), "test", search_path="reporting")
    await line.execute(f"TRUNCATE {TABLES}")
    yield line
    await line.close()


@pytest.fixture
async def db(figures: Postgres, owner: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection as reporting's consumer has it."""
    line = await connect(there(figures.dsn("reporting_work")), "test")
    yield line
    await line.close()


@pytest.fixture
async def hear(db: asyncpg.Connection) -> Hear:
    """Takes a batch, commits it, and answers what was held."""

    async def heard(taking: Taking, events: Sequence[Event]) -> dict[UUID, str]:
        async with db.transaction():
            return await take(db, taking, events)

    return heard


@dataclass(frozen=True)
class Door:
    """reporting's HTTP, asked as staff."""

    url: str
    home: Path
    session: aiohttp.ClientSession

    async def ask(self, path: str, method: str = "GET", **staff: Any) -> tuple[int, Any]:
        """Status and answer; the answer's bytes where it is no JSON."""
        who = {"name": "test", "role": "viewer", "region": "220000"} | staff
        headers = {"Authorization": f"Bearer {mint(self.home, **who)}"}
        async with self.session.request(method, self.url + path, headers=headers) as answer:
            body = await answer.read()
            return answer.status, await answer.json(content_type=None) if body[:1] == b"{" else body


@pytest.fixture(scope="session")
async def serving(figures: Postgres, home: Path) -> AsyncIterator[Door]:
    """The door without the bus."""
    service = build(Settings(home=home, jwks=str(secrets.folder(home) / "jwks.json")))
    service.ask = await pool(there(figures.dsn("reporting_ask")), "test")
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.app, lifespan="off", log_level="warning"))
    running = asyncio.create_task(server.serve([listener]))
    try:
        async with aiohttp.ClientSession() as session:
            yield Door(f"http://127.0.0.1:{listener.getsockname()[1]}", home, session)
    finally:
        server.should_exit = True
        await running
        service.ask.terminate()


@pytest.fixture
async def door(serving: Door, owner: asyncpg.Connection) -> Door:
    """The door, over an empty database."""
    return serving
