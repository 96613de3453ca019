"""What reporting is asked wrongly is refused in one sentence."""

from urllib.parse import quote

import pytest

from tests.questions import WRONG_PAGES
from tests.reporting.conftest import Door

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    "query",
    [
        "",
        "measure=",
        "measure=joy",
        "measure=alarms&from=2026-02-30",
        "measure=alarms&from=1700000000",
        "measure=alarms&from=0000-01-01",
        "measure=alarms&region=1%20OR%201=1",
        "measure=alarms&region=22%25%25%25%25",
        "measure=alarms&industry=magic",
        "measure=alarms&level=purple",
        "measure=alarms&grade=huge",
        "measure=alarms&enterprise=" + "a" * 10_000,
        "measure=alarms&enterprise=%00",
    ],
)
async def test_a_figure_asked_for_wrongly_is_refused(door: Door, query: str) -> None:
    for path in ("/v1/statistics", "/v1/statistics/facts"):
        assert (await door.ask(f"{path}?{query}"))[0] == 422


async def test_a_group_that_is_none_is_refused(door: Door) -> None:
    assert (await door.ask("/v1/statistics?measure=alarms&group_by=colour"))[0] == 422


async def test_a_range_that_ends_before_it_begins_is_refused(door: Door) -> None:
    status, problem = await door.ask("/v1/statistics?measure=alarms&from=2026-02-02&to=2026-02-01")

    assert (status, problem["code"]) == (422, "bad_range")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        *WRONG_PAGES,
        ("cursor=" + quote("统计"), 400, "bad_cursor"),
    ],
)
async def test_a_wrong_page_of_facts_is_refused(door: Door, query: str, status: int, code: str) -> None:
    answered, problem = await door.ask(f"/v1/statistics/facts?measure=alarms&{query}")

    assert (answered, problem["code"]) == (status, code)


async def test_a_limit_past_all_bounds_is_capped(door: Door) -> None:
    assert (await door.ask("/v1/statistics/facts?measure=alarms&limit=1000000000"))[0] == 200


@pytest.mark.parametrize("enterprise", ["%", "_", "\\", "' OR 1=1 --", "$1"])
async def test_a_filter_means_its_characters(door: Door, enterprise: str) -> None:
    status, answer = await door.ask(f"/v1/statistics/facts?measure=alarms&enterprise={quote(enterprise)}")

    assert (status, answer["items"]) == (200, [])


@pytest.mark.parametrize("period", ["2026-13", "x", "2026-W60", "0000", "%00", "2026-02-30", "9" * 1000])
async def test_a_report_of_no_period_is_refused(door: Door, period: str) -> None:
    assert (await door.ask(f"/v1/reports/{period}.xlsx"))[0] == 422
