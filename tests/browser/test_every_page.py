"""Every page fits into 360 pixels, has no finding of axe in light or dark, and asks nobody else."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.chromium import DESKTOP, PHONE
from tests.browser.guests import Guests
from tests.browser.scene import Scene

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.postgres]

AXE = (Path(__file__).parent / "axe.min.js").read_text("utf-8")
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
"""What another theme can break."""
PAGES = [
    "/board",
    "/cases",
    "/cases/{alarm}",
    "/cases/{hazard}",
    "/map",
    "/statistics",
    "/statistics/rows?measure=alarms",
    "/duty",
    "/duty/rosters",
    "/duty/contacts",
    "/account",
    "/operations",
    "/operations/accounts",
    "/operations/keys",
    "/operations/dead-letters",
    "/operations/audit",
]


async def findings(page: Page, rules: dict[str, Any]) -> list[str]:
    """What axe finds, a line each."""
    found: Any = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(found => found.violations)",
        rules,
    )
    return [f"{each['id']}: {node['html'][:160]} {node['failureSummary']}" for each in found for node in each["nodes"]]


async def excess(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wide: int = await page.evaluate("() => Math.max(0, document.scrollingElement.scrollWidth - innerWidth)")
    return wide


async def inspected(page: Page, path: str) -> dict[str, Any]:
    """What is wrong with a page on a dark phone, then on a light desktop."""
    await page.goto(path)
    if await page.locator(".chart").count():
        await page.locator(".chart canvas").first.wait_for()
    wrong = {"wide on a phone": await excess(page), "dark": await findings(page, ALL)}
    await page.set_viewport_size(DESKTOP)
    await page.evaluate("() => Object.assign(document.documentElement.dataset, {theme: 'light', bsTheme: 'light'})")
    wrong |= {"wide on a desktop": await excess(page), "light": await findings(page, COLOURS)}
    await page.set_viewport_size(PHONE)
    return {what: found for what, found in wrong.items() if found}


@pytest.mark.timeout(300)
async def test_every_page_is_narrow_readable_and_asks_nobody_else(guests: Guests, scene: Scene):
    admin = await guests.visit("pages-admin", "admin", theme="dark", size=PHONE, script=AXE)

    wrong = {}
    for pattern in PAGES:
        path = pattern.format(alarm=scene.alarm_case, hazard=scene.hazard_case)
        if found := await inspected(admin, path):
            wrong[pattern] = found

    assert wrong == {}
    assert guests.troubles == []


@pytest.mark.parametrize("path", ["/login", "/nowhere"])
async def test_the_login_and_a_refusal_are_no_worse(guests: Guests, path: str):
    if path == "/login":
        page = await guests.stranger(theme="dark", size=PHONE, script=AXE)
    else:
        page = await guests.visit("pages-admin", "admin", theme="dark", size=PHONE, script=AXE)

    wrong = await inspected(page, path)

    assert wrong == {}
    assert [trouble for trouble in guests.troubles if "404" not in trouble] == []
