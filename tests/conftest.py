"""Real parts for tests: one PostgreSQL and one Kafka a session, schemas migrated as in production."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, settings

from deploy.local.kafka import start_kafka
from deploy.local.postgres import Postgres
from shared.topics import ensure_topics
from tests.stack import Stack, opened, served

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # with other work
settings.load_profile("shared")


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home for the session, on a short path that sockets bear."""
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@pytest.fixture(scope="session")
async def postgres(home: Path) -> AsyncIterator[Postgres]:
    """The server with every service's schema."""
    async with served(home) as server:
        yield server


@pytest.fixture(scope="session")
async def kafka(home: Path) -> AsyncIterator[str]:
    """The broker with every topic."""
    with start_kafka(home) as bootstrap_servers:
        await ensure_topics(bootstrap_servers)
        yield bootstrap_servers


@pytest.fixture(scope="session")
async def stack(home: Path, postgres: Postgres, kafka: str) -> AsyncIterator[Stack]:
    """All services at work, with one enterprise registered."""
    async with opened(Stack(home, postgres, kafka)) as running:
        for service in ("ingest", "hazards", "notify", "reporting"):
            running.start(service)
        await running.ready("ingest", "hazards", "notify", "reporting")
        yield running


@pytest.fixture
async def database(postgres: Postgres, request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    """A connection as a service's working role, in a transaction that is rolled back. Mark: `service`."""
    mark = request.node.get_closest_marker("service")
    service = mark.args[0] if mark else "hazards"
    from shared.database import connect

    db = await connect(postgres.dsn(f"{service}_work"), "test")
    transaction = db.transaction()
    await transaction.start()
    try:
        yield db
    finally:
        await transaction.rollback()
        await db.close()


@pytest.fixture
async def trail(owner: asyncpg.Connection) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
    """The audit rows of a service since the test began, where its tests have an `owner`."""
    before = await owner.fetchval("SELECT seq FROM audit_head")

    async def rows() -> list[dict[str, Any]]:
        found = await owner.fetch("SELECT body FROM audit WHERE seq > $1 ORDER BY seq", before)
        return [orjson.loads(row["body"]) for row in found]

    return rows
