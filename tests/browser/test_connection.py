"""A page says at once when it may be out of date, and goes on by itself when it need not be any more."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Route, expect

from tests.browser.guests import Guests, mark, marked
from tests.stack import Stack, alarm, uscc

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.postgres]

OWN, REGION = uscc(9603), "220623"


@pytest.fixture(scope="module")
async def key(house: Stack) -> str:
    return await house.register(OWN, ["C-1", "C-2", "C-3", "C-4"], REGION)


@pytest.fixture
async def healed(house: Stack) -> AsyncIterator[None]:
    """Whatever a test killed is there again for the next."""
    yield
    for service in ("console", "hazards"):
        if service not in house.processes:
            house.start(service)
        await house.ready(service)


@pytest.mark.usefixtures("healed")
async def test_a_killed_console_is_noticed_and_its_return_as_well(guests: Guests, key: str):
    page = await guests.visit("cut-officer", "officer", REGION, path="/board")
    lost = page.locator("#connection")
    await mark(page)

    guests.stack.kill("console")
    await expect(lost).to_be_visible(timeout=5_000)
    said = await lost.inner_text()
    await guests.stack.push(alarm("cut-1", "C-1"), key=key)
    guests.stack.start("console")
    await expect(lost).to_be_hidden(timeout=60_000)
    await expect(page.locator("tr", has_text="C-1")).to_be_visible()

    assert "连接已断开" in said
    assert await marked(page)


async def test_a_logout_in_another_tab_leads_this_one_to_the_login_once(guests: Guests):
    """A second departure before the first has arrived would crash the tab now and then."""
    page = await guests.visit("leaving-officer", "officer", REGION, path="/board")
    departures: list[str] = []
    page.on("request", lambda asked: asked.is_navigation_request() and departures.append(asked.url))
    other = await page.context.new_page()
    await other.goto("/board")

    async def late(route: Route) -> None:
        await asyncio.sleep(1)  # all parts of the page have their answer before
        await route.continue_()

    await page.route("**/login*", late)

    await other.locator("details.menu > summary").click()
    await other.get_by_role("button", name="退出登录").click()
    await expect(page).to_have_url(re.compile("/login"), timeout=15_000)

    assert await page.locator("#password").is_visible()
    assert len(departures) == 1


async def test_what_changes_before_the_stream_is_there_is_shown_all_the_same(guests: Guests, key: str):
    page = await guests.visit("early-officer", "officer", REGION)

    async def late(route: Route) -> None:
        await asyncio.sleep(3)
        await route.continue_()

    await page.route("**/stream", late)
    await page.goto("/board")
    await guests.stack.push(alarm("early-1", "C-4"), key=key)

    await expect(page.locator("tr", has_text="C-4")).to_be_visible()


@pytest.mark.usefixtures("healed")
async def test_a_killed_service_is_named_and_its_part_heals(guests: Guests, key: str):
    page = await guests.visit("part-officer", "officer", REGION, path="/board")
    await guests.stack.push(alarm("part-2", "C-2"), key=key)
    await expect(page.locator("tr", has_text="C-2")).to_be_visible()

    before = await page.request.get("/board", headers={"HX-Request": "true", "HX-Target": "board_now"})
    guests.stack.kill("hazards")
    await page.reload()
    away = page.locator(".away").first
    await expect(away).to_be_visible()
    said = await away.inner_text()
    await asyncio.sleep(2)  # the page has looked again, and was not given what others were shown before
    await expect(page.locator("tr", has_text="C-2")).to_have_count(0)
    await expect(away).to_be_visible()
    await page.goto("/duty")
    works = await page.locator(".away").count()
    await page.goto("/board")
    await mark(page)
    guests.stack.start("hazards")
    await guests.stack.ready("hazards")
    await guests.stack.push(alarm("part-3", "C-3"), key=key)
    await expect(page.locator("tr", has_text="C-3")).to_be_visible()
    await expect(page.locator("tr", has_text="C-2")).to_be_visible()

    assert "C-2" in await before.text()
    assert "报警" in said
    assert "暂缺" in said
    assert works == 0
    await expect(page.locator(".away")).to_have_count(0)
    assert await marked(page)
