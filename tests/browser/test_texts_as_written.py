"""What people wrote is shown as they wrote it: nothing of it runs, asks, turns or counts."""

import pytest
from playwright.async_api import expect

from tests.browser.guests import Guests
from tests.browser.scene import BRACES, CONTACT, IMAGE, MESSAGE, NAME, OWN, POINT, REGION, TITLE, Scene

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.postgres]


def line(text: str) -> str:
    """A text as it is read: with its white space as one blank."""
    return " ".join(text.split())


async def test_texts_are_shown_as_written_on_every_page(guests: Guests, scene: Scene):
    page = await guests.visit("texts-admin", "admin")
    shown = {
        f"/board?region={REGION}": [NAME, POINT, MESSAGE, TITLE],
        f"/cases?enterprise={OWN}": [NAME, POINT, TITLE],
        f"/cases/{scene.alarm_case}": [NAME, POINT, MESSAGE, IMAGE],
        f"/cases/{scene.hazard_case}": [NAME, TITLE, MESSAGE, BRACES],
        f"/duty?region={REGION}": [CONTACT],
        f"/duty/contacts?region={REGION}": [CONTACT],
        f"/duty/rosters?region={REGION}": [BRACES],
        "/operations": [NAME],
        f"/operations/keys?enterprise={OWN}": [NAME],
    }

    missing = {}
    for path, texts in shown.items():
        await page.goto(path)
        body = line(await page.locator("main").evaluate("main => main.textContent"))
        if absent := [text for text in texts if line(text) not in body]:
            missing[path] = absent
    await page.goto("/map")
    await expect(page.locator(".chart-map canvas").first).to_be_visible()
    on_the_map = await page.locator("#map_now").get_attribute("data-json")

    assert missing == {}
    assert OWN in str(on_the_map)
    assert guests.troubles == []


async def test_no_text_becomes_an_element(guests: Guests, scene: Scene):
    page = await guests.visit("texts-admin", "admin")

    planted = []
    for path in (f"/board?region={REGION}", f"/cases/{scene.alarm_case}", f"/cases/{scene.hazard_case}", "/map"):
        await page.goto(path)
        planted.append(await page.locator("main img[src=x], main svg[onload]").count())

    assert planted == [0, 0, 0, 0]
    assert guests.troubles == []
