"""The main path in a browser: an alarm arrives by itself, is answered, confirmed, rectified, accepted and counted."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import DESKTOP, PHONE
from tests.browser.guests import Guests, log_in, mark, marked
from tests.stack import alarm, until, uscc

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.postgres]


async def step(page: Page, action: str) -> None:
    """Opens a step of the case, which is then filled in by the test."""
    await page.locator(f"#do-{action} > summary").click()


async def send(page: Page, action: str, state: str) -> None:
    """Takes the step, and sees where the case stands then."""
    await page.locator(f"#form-{action} button[type=submit]").click()
    await expect(page.locator(".steps-line [aria-current=step]")).to_have_text(state)


@pytest.mark.parametrize(
    ("number", "region", "size", "theme"),
    [(9601, "220621", DESKTOP, "light"), (9602, "220622", PHONE, "dark")],
    ids=["desktop", "phone"],
)
async def test_an_alarm_is_followed_until_it_is_written_off(
    guests: Guests, number: int, region: str, size: Any, theme: str
):
    own, look = uscc(number), {"size": size, "theme": theme}
    key = await guests.stack.register(own, ["P-1"], region)
    for role in ("officer", "manager"):
        await guests.account(f"{role}-{number}", role, region)
    await guests.account(f"plant-{number}", "enterprise", None, own)

    desk = await guests.stranger(**look)
    await log_in(desk, f"officer-{number}")
    await mark(desk)
    await desk.evaluate("() => { window.beeps = 0; document.addEventListener('fengsui:beep', () => window.beeps++); }")
    await guests.stack.push(alarm(f"path-{number}", "P-1"), key=key)
    row = desk.locator("tr", has_text="P-1")
    await expect(row).to_be_visible()
    beeps = await until(lambda: desk.evaluate("() => window.beeps"))
    await desk.locator("#sound").click()
    await expect(desk.locator("#sound")).to_have_attribute("aria-pressed", "false")
    await row.get_by_role("button", name="应答").click()
    await expect(row).to_contain_text("已应答")
    arrived_by_itself = await marked(desk)
    await row.get_by_role("link", name="P-1").click()
    await step(desk, "confirm")
    await desk.locator("#form-confirm input[value=general]").check()
    await send(desk, "confirm", "已核实")
    case = desk.url

    boss = await guests.stranger(**look)
    await log_in(boss, f"manager-{number}")
    await boss.goto(case)
    await step(boss, "start")
    await boss.fill("#form-start [name=responsible]", "王工")
    await boss.fill("#form-start [name=due_at]", "2099-12-31T18:00")
    await send(boss, "start", "整改中")

    plant = await guests.stranger(**look)
    await log_in(plant, f"plant-{number}")
    await plant.goto(case)
    photo = {"name": "现场.png", "mimeType": "image/png", "buffer": await plant.screenshot()}
    await step(plant, "submit")
    await plant.locator("#form-submit input[type=file]").set_input_files(photo)
    await expect(plant.locator(".upload-list")).to_contain_text("SHA-256")
    await plant.fill("#form-submit [name=text]", "已更换密封件")
    await send(plant, "submit", "待验收")

    await step(boss, "accept")
    await send(boss, "accept", "已销号")
    await expect(boss.get_by_role("link", name="佐证 1")).to_be_visible()
    closed = boss.locator(".measure", has_text="销号").locator(".measure-figure").first

    async def counted() -> str:
        await boss.goto("/statistics?measure=cases_closed")
        return (await closed.inner_text()).split()[0]

    count = await until(counted, lambda given: given == "1")
    await expect(boss.locator(".chart-card-level canvas")).to_be_visible()
    drawn = await boss.locator(".chart-card-level .chart").bounding_box()

    assert arrived_by_itself
    assert beeps == 1
    assert count == "1"
    assert drawn is not None
    assert 0 < drawn["width"] <= size["width"]
    assert guests.troubles == []
