"""Any replica serves anybody: behind a proxy that takes turns, people walk the pages, and lose one without noticing."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.guests import Guests, log_in
from tests.browser.scene import Scene
from tests.browser.turnstile import turnstile
from tests.stack import Stack, free_base, until

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.postgres]

WALK = ("/board", "/cases", "/map", "/statistics", "/duty", "/account")


async def test_one_of_two_replicas_may_die(guests: Guests, scene: Scene):
    house = guests.stack
    base = free_base()
    ports = [base, base + 1]
    for name, port in zip(("replica-1", "replica-2"), ports, strict=True):
        house.start("console", name, port)
    await guests.account("walker", "manager", "220700")

    async with turnstile(ports) as front:
        page = await guests.stranger(url=f"http://127.0.0.1:{front}")
        await wait_for(house, ports)
        await log_in(page, "walker")
        before = [await seen(page, path) for path in WALK]
        house.kill("replica-1")
        after = [await seen(page, path) for path in WALK]
        await page.goto(f"/cases/{scene.hazard_case}")
        await page.locator("#do-comment > summary").click()
        await page.fill("#form-comment [name=text]", "另一副本仍在服务")
        await page.locator("#form-comment button[type=submit]").click()
        await expect(page.locator(".timeline-list")).to_contain_text("另一副本仍在服务")
        await page.goto("about:blank")
        house.kill("replica-2")

    assert before == [200] * len(WALK)
    assert after == [200] * len(WALK)


async def wait_for(house: Stack, ports: list[int]) -> None:
    """Until both replicas can do their job."""

    async def ready(port: int) -> bool:
        async with house.session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return bool((await answer.json())["ready"])

    for port in ports:
        await until(lambda port=port: ready(port), timeout=60)


async def seen(page: Page, path: str) -> int:
    """The status of a page that has come as far as its heading."""
    answer = await page.goto(path)
    assert answer is not None
    await page.locator("main h1").first.wait_for()
    return answer.status
