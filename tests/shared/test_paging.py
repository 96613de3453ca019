"""A cursor belongs to its list and its filters, and nobody can make one up."""

from base64 import urlsafe_b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.paging import MOST, capped, cursor_after, page, place_of
from shared.problems import Problem

FILTERS = {"state": ["reported"], "region": "2202", "overdue": None}


@given(st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_a_cursor_comes_back_as_the_place_it_was_made_for(place: list[str]) -> None:
    assert place_of(cursor_after(place, FILTERS), FILTERS, len(place)) == place


def test_no_cursor_is_the_first_page() -> None:
    assert place_of(None, FILTERS, 2) is None


@pytest.mark.parametrize(
    "filters", [{}, FILTERS | {"region": "2203"}, FILTERS | {"overdue": False}, FILTERS | {"text": "x"}]
)
def test_a_cursor_of_other_filters_is_refused(filters: dict[str, object]) -> None:
    cursor = cursor_after(["2026-11-25", "1"], FILTERS)

    with pytest.raises(Problem) as refused:
        place_of(cursor, filters, 2)

    assert (refused.value.status, refused.value.code) == (400, "bad_cursor")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "===",
        "汉字",
        "1 OR 1=1",
        "\x00",
        urlsafe_b64encode(orjson.dumps([["a", "b"], "000000000000"])).decode(),
        urlsafe_b64encode(orjson.dumps({"a": 1})).decode(),
        urlsafe_b64encode(orjson.dumps(7)).decode(),
        urlsafe_b64encode(orjson.dumps([None, None])).decode(),
        urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        place_of(cursor, FILTERS, 2)

    assert refused.value.code == "bad_cursor"


def test_a_cursor_of_another_list_with_other_keys_is_refused() -> None:
    with pytest.raises(Problem):
        place_of(cursor_after(["a"], FILTERS), FILTERS, 2)


def test_pages_follow_each_other_without_gap_or_overlap() -> None:
    rows = [{"at": f"{n:02}", "id": str(n)} for n in range(7)]
    seen: list[str] = []
    cursor: str | None = None

    while True:
        place = place_of(cursor, FILTERS, 2)
        rest = [row for row in rows if place is None or (row["at"], row["id"]) > (place[0], place[1])]
        kept, cursor = page(rest[:4], 3, ["at", "id"], FILTERS)
        seen += [row["id"] for row in kept]
        if cursor is None:
            break

    assert seen == [row["id"] for row in rows]


def test_a_limit_is_capped() -> None:
    assert capped(10**9) == MOST
    assert capped(7) == 7
