"""People before browsers of their own: logged in, and watched for everything that must never happen in one."""

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

from services.console import store
from services.console.domain.accounts import account_of
from shared.database import connect
from tests.browser.chromium import DESKTOP, profile
from tests.console.replica import PASSWORD
from tests.stack import Stack

SECONDS = 20_000
"""How long a browser on a busy machine may take for a step, in milliseconds."""


@dataclass
class Guests:
    """The browsers of one test; `troubles` stays empty where all is well."""

    stack: Stack
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)

    async def account(self, name: str, role: str, region: str | None = "220000", enterprise: str | None = None) -> None:
        """Makes the account where there is none."""
        db = await connect(self.stack.postgres.dsn("console_work"), "test")
        try:
            await store.create(db, account_of(name, role, region, enterprise), PASSWORD)
        finally:
            await db.close()

    async def stranger(
        self, theme: str = "light", size: Any = DESKTOP, url: str | None = None, script: str | None = None
    ) -> Page:
        """A page of somebody who has not logged in; `script` is read into every page before its own."""
        url = url or self.stack.url("console")
        context = await profile(self.browser, url, theme, size)
        context.set_default_timeout(SECONDS)
        if script:
            await context.add_init_script(script=script)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        context.on("request", lambda asked: self._asked(asked, url))
        context.on("dialog", self._opened)
        self._open.append(context)
        return await context.new_page()

    async def visit(
        self,
        name: str,
        role: str,
        region: str | None = "220000",
        enterprise: str | None = None,
        path: str | None = None,
        **more: Any,
    ) -> Page:
        """A page of somebody who has logged in."""
        await self.account(name, role, region, enterprise)
        page = await self.stranger(**more)
        url = more.get("url") or self.stack.url("console")
        form = {"name": name, "password": PASSWORD}
        answer = await page.context.request.post("/login", form=form, headers={"Origin": url}, max_redirects=0)
        assert answer.status == 303, await answer.text()
        if path:
            await page.goto(path)
        return page

    async def leave(self) -> None:
        """Closes every browser."""
        for context in self._open:
            await context.close()

    async def _opened(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"{message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request, url: str) -> None:
        if not request.url.startswith((url + "/", "data:")):
            self.troubles.append(f"asked elsewhere: {request.url}")


async def log_in(page: Page, name: str) -> None:
    """By the form, as people do."""
    await page.goto("/login")
    await page.fill("#name", name)
    await page.fill("#password", PASSWORD)
    await page.click("form[action='/login'] button")
    await page.wait_for_url("**/board")


async def mark(page: Page) -> None:
    """Leaves a mark in the page, which a reload would take away."""
    await page.evaluate("() => { window.marked = true; }")


async def marked(page: Page) -> bool:
    """Whether the page is still the one that was marked."""
    found: bool = await page.evaluate("() => window.marked === true")
    return found
