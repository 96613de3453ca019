"""notify with a database of its own on the real PostgreSQL, its door on a free port, and a telephone that listens."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import aiohttp
import asyncpg
import pytest
import uvicorn
from aiohttp import web

from deploy.local import secrets
from deploy.local.postgres import Postgres
from services.notify import handlers
from services.notify.app import build
from services.notify.delivery import Sender
from services.notify.schedule import escalate
from shared import inbox
from shared.database import connect, pool
from shared.events.cases import CaseChanged
from shared.migrate import migrate
from shared.settings import Settings
from tests.notify.stand import DATABASE, Door, Phone, there

TABLES = "contacts, rosters, cases, calls, notifications, deliveries, attempts, inbox, outbox, dead_letters, stuck_rows"
WALLS = """
CREATE SCHEMA notify AUTHORIZATION notify_owner;
GRANT USAGE ON SCHEMA notify TO notify_work, notify_ask
"""
ROUTES = """
DELETE FROM routes;
INSERT INTO routes VALUES ('red', 'county', '5 minutes'), ('red', 'city', '10 minutes'),
    ('red', 'province', '10 minutes'), ('orange', 'county', '10 minutes'), ('orange', 'city', '20 minutes'),
    ('yellow', 'county', '30 minutes'), ('blue', 'county', '2 hours')
"""

Hear = Callable[..., Awaitable[dict[UUID, str]]]


@pytest.fixture(scope="session")
async def notices(postgres: Postgres) -> Postgres:
    """The server, with a notify schema in a database that no other test uses."""
    server = await asyncpg.connect(postgres.admin_dsn)
    await server.execute(f"CREATE DATABASE {DATABASE}")
    await server.close()
    owner = await asyncpg.connect(there(postgres.admin_dsn))
    await owner.execute(WALLS)
    await owner.close()
    await migrate(there(postgres.admin_dsn), "notify")
    return postgres


@pytest.fixture
async def owner(notices: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do anything, to a database that is empty when the test begins."""
    line = await connect(there(notices.admin_dsn), "test", search_path="notify")
    await line.execute(f"TRUNCATE {TABLES}; {ROUTES}")
    yield line
    await line.close()


@pytest.fixture
async def db(notices: Postgres, owner: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection as notify's consumer has it."""
    line = await connect(there(notices.dsn("notify_work")), "test")
    yield line
    await line.close()


@pytest.fixture
async def hear(db: asyncpg.Connection) -> Hear:
    """Takes a batch as the consumer does, commits it, and answers what was held."""

    async def heard(*events: CaseChanged) -> dict[UUID, str]:
        async with db.transaction():
            taken = await inbox.take_in(db, list({event.id: event for event in events}.values()))
            new = [event for event in events if event.id in taken.new]
            held = dict(await handlers.call_people.handle(db, new) or {}) if new else {}
            await inbox.hold(db, held)
        return held

    return heard


@pytest.fixture
async def time_passes(owner: asyncpg.Connection, db: asyncpg.Connection) -> Callable[[], Awaitable[int]]:
    """Lets every tier's time run out, and the timer look."""

    async def passes() -> int:
        await owner.execute("UPDATE calls SET next_step_at = now() WHERE next_step_at IS NOT NULL")
        async with db.transaction():
            return await escalate(db)

    return passes


@pytest.fixture(scope="session")
async def serving(notices: Postgres, home: Path) -> AsyncIterator[Door]:
    """The door without the bus."""
    service = build(Settings(home=home, jwks=str(secrets.folder(home) / "jwks.json")))
    service.ask = await pool(there(notices.dsn("notify_ask")), "test")
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.app, lifespan="off", log_level="warning", timeout_keep_alive=600))
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


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    """A receiver on a free port."""
    listening = Phone()
    app = web.Application()
    app.router.add_post("/{contact}", listening.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listening
    await runner.cleanup()


@pytest.fixture
def settings(notices: Postgres, home: Path) -> Settings:
    """As the service is told, with loopback opened for the telephone."""
    return Settings(
        home=home, postgres_work=there(notices.dsn("notify_work")), webhook_allow=[ip_network("127.0.0.0/8")]
    )


@pytest.fixture
async def sender(settings: Settings, owner: asyncpg.Connection) -> AsyncIterator[Sender]:
    """The sender at work."""
    sending = Sender(settings, lambda: None)
    task = asyncio.create_task(sending.run())
    yield sending
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
