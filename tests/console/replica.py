"""The console in the test's own process, on the real database: as many replicas as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.local.postgres import Postgres
from services.console import store
from services.console.app import build
from services.console.domain.accounts import account_of
from services.console.sessions import Sessions
from shared.database import connect, pool
from shared.service import Service
from shared.settings import Settings

ORIGIN = "http://console.test"
PASSWORD = "correct horse battery"
HERE = {"Origin": ORIGIN}


@dataclass
class Replica:
    """One console, and browsers that visit it."""

    service: Service
    postgres: Postgres
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def sessions(self) -> Sessions:
        """Its sessions."""
        found: Sessions = self.service.app.state.sessions
        return found

    def browser(self, address: str = "10.0.0.1", origin: str = ORIGIN) -> httpx.AsyncClient:
        """A browser without cookies, at an address."""
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.service.app, client=(address, 40000)),
            base_url=origin,
            headers={"Accept": "text/html", "Origin": origin, "User-Agent": "Firefox"},
        )
        self.browsers.append(made)
        return made

    async def account(
        self, name: str, role: str = "officer", region: str | None = "220203", enterprise: str | None = None
    ) -> str:
        """An account with the password that all have; its name."""
        db = await connect(self.postgres.dsn("console_work"), "test")
        try:
            await store.create(db, account_of(name, role, region, enterprise), PASSWORD)
        finally:
            await db.close()
        return name

    async def inside(self, name: str, address: str = "10.0.0.1") -> httpx.AsyncClient:
        """A browser in which somebody has logged in."""
        browser = self.browser(address)
        answer = await log_in(browser, name)
        assert answer.status_code == 303, answer.text
        return browser

    async def sql(self, query: str, *values: Any) -> list[Any]:
        """Rows as the superuser sees them, in the console's schema."""
        import asyncpg

        from deploy.local.walls import in_our_database

        db = await asyncpg.connect(in_our_database(self.postgres.admin_dsn), server_settings={"search_path": "console"})
        try:
            return list(await db.fetch(query, *values))
        finally:
            await db.close()


async def log_in(browser: httpx.AsyncClient, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    """Sends the login form."""
    return await browser.post("/login", data={"name": name, "password": password, **more})


@asynccontextmanager
async def replica(postgres: Postgres, **settings: Any) -> AsyncIterator[Replica]:
    """A console without Kafka: its pages and its hearing of ended sessions."""
    given = {
        "home": postgres.home,
        "postgres_ask": postgres.dsn("console_ask"),
        "postgres_work": postgres.dsn("console_work"),
        "jwks": str(postgres.home / "secrets" / "jwks.json"),
    }
    service = build(Settings(**{**given, **settings}))
    service.ask = await pool(service.settings.postgres_ask, "console.ask")
    made = Replica(service, postgres)
    hearing = asyncio.create_task(made.sessions.listen())
    try:
        yield made
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
        for browser in made.browsers:
            await browser.aclose()
        service.ask.terminate()
