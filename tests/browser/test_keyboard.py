"""By keys alone: log in, reach an alarm, answer it; and one always sees where one is."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.guests import Guests
from tests.console.replica import PASSWORD
from tests.stack import alarm, uscc

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.postgres]

OWN, REGION = uscc(9604), "220681"
FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return [at.getAttribute("aria-label") || at.textContent.trim().slice(0, 40), style.outlineStyle !== "none"
    && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none", box.top >= 0 && box.bottom <= innerHeight];
}"""


async def tabbed_to(page: Page, wanted: str) -> list[tuple[str, bool, bool]]:
    """The elements on the way: what each is called, whether its focus is drawn, and whether it is in the window."""
    way: list[tuple[str, bool, bool]] = []
    while len(way) < 60 and (not way or wanted not in way[-1][0]):
        await page.keyboard.press("Tab")
        name, drawn, inside = await page.evaluate(FOCUSED)
        way.append((name, drawn, inside))
    return way


async def test_an_alarm_is_answered_by_keys_alone(guests: Guests):
    key = await guests.stack.register(OWN, ["K-1"], REGION)
    await guests.account("keys-officer", "officer", REGION)
    await guests.stack.push(alarm("keys-1", "K-1"), key=key)
    page = await guests.stranger()

    await page.goto("/login")
    await page.keyboard.type("keys-officer")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/board")
    await page.reload()
    await expect(page.get_by_role("button", name="应答 K-1")).to_be_visible()
    way = await tabbed_to(page, "应答 K-1")
    await page.keyboard.press("Enter")
    await expect(page.locator("tr", has_text="K-1")).to_contain_text("已应答")

    assert "应答 K-1" in way[-1][0]
    assert [name for name, drawn, _ in way if not drawn] == []
    assert [name for name, _, inside in way if not inside] == []
    assert guests.troubles == []
