"""A console with every service behind it, and people who have logged in to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from services.console import store
from services.console.domain.accounts import account_of
from shared.database import connect
from tests.console.replica import PASSWORD
from tests.stack import Stack

PART = {"HX-Request": "true", "Fengsui-Live": "1"}


@dataclass
class Desk:
    """The console's process on a running stack."""

    stack: Stack
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    async def visit(
        self, name: str, role: str = "officer", region: str | None = "220203", enterprise: str | None = None
    ) -> httpx.AsyncClient:
        """A browser in which that person has logged in; the account is made where there is none."""
        db = await connect(self.stack.postgres.dsn("console_work"), "test")
        try:
            await store.create(db, account_of(name, role, region, enterprise), PASSWORD)
        finally:
            await db.close()
        origin = self.stack.url("console")
        browser = httpx.AsyncClient(
            base_url=origin, headers={"Accept": "text/html", "Origin": origin}, timeout=30, trust_env=False
        )
        self.browsers.append(browser)
        answer = await browser.post("/login", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser


@asynccontextmanager
async def desk_on(stack: Stack) -> AsyncIterator[Desk]:
    """The console for as long as the context lasts."""
    if "console" not in stack.processes:
        stack.start("console")
    await stack.ready("console")
    desk = Desk(stack)
    try:
        yield desk
    finally:
        for browser in desk.browsers:
            await browser.aclose()


async def part(browser: httpx.AsyncClient, path: str, block: str) -> httpx.Response:
    """One element of a page, as the page asks for it again."""
    return await browser.get(path, headers=PART | {"HX-Target": block})
