"""One Chromium for all browser tests, before the whole platform: its services and the console as processes."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import chromium
from tests.browser.guests import SECONDS, Guests
from tests.browser.scene import Scene, played
from tests.stack import Stack


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser; every visitor is a context of it."""
    expect.set_options(timeout=SECONDS)
    async with chromium() as started:
        yield started


@pytest.fixture(scope="session")
async def house(stack: Stack) -> Stack:
    """The platform with its console."""
    if "console" not in stack.processes:
        stack.start("console")
    await stack.ready("console")
    return stack


@pytest.fixture
async def guests(house: Stack, browser: Browser) -> AsyncIterator[Guests]:
    """The browsers of one test."""
    made = Guests(house, browser)
    yield made
    await made.leave()


@pytest.fixture(scope="session")
async def scene(house: Stack) -> Scene:
    """An enterprise whose every text is an attack."""
    return await played(house)
