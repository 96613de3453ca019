"""What a list of the registry is asked wrongly is refused in one sentence."""

from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from tests.questions import WRONG_PAGES
from tests.stack import Stack

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

LISTS = ("/v1/enterprises", "/v1/points")


async def ask(stack: Stack, path: str) -> tuple[int, Any]:
    async with stack.session.get(URL(stack.url("ingest", path), encoded=True), headers=stack.headers()) as answer:
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        *WRONG_PAGES,
        ("cursor=" + quote("企业"), 400, "bad_cursor"),
    ],
)
async def test_a_wrong_question_is_refused(stack: Stack, path: str, query: str, status: int, code: str) -> None:
    answered, problem = await ask(stack, f"{path}?{query}")

    assert (answered, problem["code"]) == (status, code)


@pytest.mark.parametrize("path", [*LISTS, "/v1/sources"])
async def test_a_limit_past_all_bounds_is_capped(stack: Stack, path: str) -> None:
    status, answer = await ask(stack, f"{path}?limit=1000000000")

    assert (status, len(answer["items"]) <= 500) == (200, True)


@pytest.mark.parametrize("path", ["/v1/points", "/v1/keys"])
@pytest.mark.parametrize("enterprise", ["%", "_", "\\", "' OR 1=1 --", "$1"])
async def test_a_filter_means_its_characters(stack: Stack, path: str, enterprise: str) -> None:
    status, answer = await ask(stack, f"{path}?enterprise={quote(enterprise)}")

    assert (status, answer["items"]) == (200, [])


@pytest.mark.parametrize("path", ["/v1/points", "/v1/keys"])
@pytest.mark.parametrize("enterprise", ["%00", "a" * 10_000])
async def test_a_value_that_no_row_can_hold_is_refused(stack: Stack, path: str, enterprise: str) -> None:
    assert (await ask(stack, f"{path}?enterprise={enterprise}"))[0] == 422
