"""What a list of hazards is asked wrongly is refused in one sentence, and every text means what it says."""

import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.hazards.desk import act, asked, opened
from tests.ingest.pushing import Plant
from tests.questions import WRONG_PAGES

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

LISTS = ("/v1/alarms", "/v1/cases")
TEXTS = [
    "'; DROP TABLE cases;--",
    "$1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "%s%n",
    "两行\r\nSubject: 伪造",
    "&#x202e;",
    "隐患'\"><svg/onload=alert(1)>",
    "100% \\ _",
    "\u202e反\u202c",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=x", 422, "invalid"),
        *WRONG_PAGES,
        ("cursor=" + quote("隐患"), 400, "bad_cursor"),
        ("region=1 OR 1=1", 422, "invalid"),
        ("region=22%25", 422, "invalid"),
        ("level=purple", 422, "invalid"),
        ("state=gone", 422, "invalid"),
        ("industry=magic", 422, "invalid"),
        ("since=1700000000", 422, "invalid"),
        ("since=2026-01-01", 422, "invalid"),
        ("text=" + "a" * 10_000, 422, "invalid"),
        ("text=%00", 422, "invalid"),
        ("enterprise=%00", 422, "invalid"),
        ("overdue=maybe&acknowledged=maybe", 422, "invalid"),
    ],
)
async def test_a_wrong_question_is_refused(plant: Plant, path, query, status, code):
    answered, problem, _ = await asked(plant, f"{path}?{query.replace(' ', '%20')}")

    assert (answered, problem["code"]) == (status, code)


@pytest.mark.parametrize("path", LISTS)
async def test_a_limit_past_all_bounds_is_capped(plant: Plant, path):
    status, answer, _ = await asked(plant, f"{path}?limit=1000000000")

    assert (status, len(answer["items"]) <= 500) == (200, True)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", ["%", "_", "\\", "%%", "$1", "' OR 1=1 --", "x" * 200, "龘" * 66])
async def test_a_search_means_its_characters(plant: Plant, path, text):
    await opened(plant)
    began = time.monotonic()

    status, answer, _ = await asked(plant, f"{path}?enterprise={plant.uscc}&text={quote(text)}")

    assert status == 200
    assert all(text in _searched(each) for each in answer["items"])
    assert time.monotonic() - began < 5  # of which a second is the promise, on a machine of its own


def _searched(item: dict[str, Any]) -> str:
    return str(item.get("title", item["point"])) + str(item["enterprise"]["name"])


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_comes_back_as_it_was_written_and_is_found(plant: Plant, text):
    case = await opened(plant, text)

    status, after = await act(plant, case["id"], "comment", case["version"], {"text": text})
    _, found, _ = await asked(plant, f"/v1/cases?enterprise={plant.uscc}&text={quote(text)}")

    assert (status, case["title"], after["timeline"][-1]["detail"]) == (200, text, {"text": text})
    assert case["id"] in {each["id"] for each in found["items"]}


@pytest.mark.parametrize("case", ["x", "1%20OR%201=1", "00000000-0000-0000-0000-00000000000g", "%00"])
async def test_an_id_that_is_none_is_refused(plant: Plant, case):
    assert (await asked(plant, f"/v1/cases/{case}"))[0] == 422
    assert (await asked(plant, f"/v1/cases/{case}?timeline_before=0"))[0] == 422


async def test_a_case_that_never_was_is_not_found(plant: Plant):
    assert (await asked(plant, "/v1/cases/00000000-0000-0000-0000-000000000000"))[0] == 404


async def test_a_cursor_is_good_for_its_own_filters_and_list_alone(plant: Plant):
    for _ in range(2):
        await opened(plant)
    _, first, _ = await asked(plant, f"/v1/cases?enterprise={plant.uscc}&limit=1")
    cursor = first["next"]

    for path in (f"/v1/cases?cursor={cursor}", f"/v1/alarms?enterprise={plant.uscc}&cursor={cursor}"):
        status, problem, _ = await asked(plant, path)
        assert (status, problem["code"]) == (400, "bad_cursor")
