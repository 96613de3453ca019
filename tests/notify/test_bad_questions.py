"""What a list of notify is asked wrongly is refused in one sentence."""

from urllib.parse import quote

import pytest

from tests.notify.stand import Door
from tests.questions import WRONG_PAGES

pytestmark = pytest.mark.postgres

LISTS = ("/v1/notifications", "/v1/contacts", "/v1/rosters")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        *WRONG_PAGES,
        ("cursor=" + quote("值班"), 400, "bad_cursor"),
        ("region=1%20OR%201=1", 422, "invalid"),
        ("region=22%25%25%25%25", 422, "invalid"),
    ],
)
async def test_a_wrong_question_is_refused(door: Door, path: str, query: str, status: int, code: str) -> None:
    answered, problem = await door.ask(f"{path}?{query}")

    assert (answered, problem["code"]) == (status, code)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/notifications?case=1%20OR%201=1",
        "/v1/notifications?state=gone",
        "/v1/notifications?contact=" + "a" * 10_000,
        "/v1/notifications?contact=%00",
        "/v1/notifications?since=1700000000",
        "/v1/notifications/x",
        "/v1/rosters?contact=" + "a" * 10_000,
        "/v1/rosters?since=2026-01-01",
        "/v1/on-duty?at=now",
        "/v1/on-duty?region=x",
    ],
)
async def test_a_value_of_no_meaning_is_refused(door: Door, path: str) -> None:
    assert (await door.ask(path))[0] == 422


@pytest.mark.parametrize("path", LISTS)
async def test_a_limit_past_all_bounds_is_capped(door: Door, path: str) -> None:
    assert (await door.ask(f"{path}?limit=1000000000"))[0] == 200


@pytest.mark.parametrize("contact", ["%", "_", "\\", "' OR 1=1 --", "$1"])
async def test_a_filter_means_its_characters(door: Door, contact: str) -> None:
    for path in ("/v1/notifications", "/v1/rosters"):
        status, answer = await door.ask(f"{path}?contact={quote(contact)}")
        assert (status, answer["items"]) == (200, [])
