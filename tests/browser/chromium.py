"""The Chromium of tests and pictures: one process with an empty profile, and a context for each visitor."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


def executable() -> str:
    """What deploy/browser.sh found, or else the first of the names on the path."""
    found = os.environ.get("FENGSUI_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "no Chromium: `sh deploy/browser.sh` finds or installs one"
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser for as long as the context lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def profile(browser: Browser, url: str, theme: str = "light", size: Any = DESKTOP) -> BrowserContext:
    """A browser's empty profile, in China, with a theme chosen at that console."""
    context = await browser.new_context(
        base_url=url,
        viewport=size,
        has_touch=size == PHONE,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    await context.add_cookies([{"name": "fengsui_theme", "value": theme, "url": url}])
    return context
