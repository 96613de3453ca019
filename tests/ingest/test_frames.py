"""A frame is judged reading by reading, and by its shape as a whole."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.admission import Pusher, TooDeep
from services.ingest.domain.frames import BadFrame, admit_frame, frame_of
from shared.events.event import microseconds
from shared.topics import READINGS

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
AT = "2026-11-25T08:00:00Z"
EARLIER = "2026-11-25T07:59:59Z"
PUSHER = Pusher("91350100M000100Y43", "测试企业", "220203", "petrochemical")
POINTS = {"P", "Q"}


def row(without: str = "", **more: Any) -> dict[str, Any]:
    made = {"point": "P", "time": AT, "value": 1.5} | more
    return {name: value for name, value in made.items() if name != without}


def rows(*readings: Any) -> dict[str, Any]:
    return {"readings": list(readings)}


def columns(**more: Any) -> dict[str, Any]:
    return {"time": AT, "points": ["P", "Q"], "values": [1.5, 2.5]} | more


def refusals(body: object) -> list[tuple[int, str, str]]:
    """Index, code and pointer of each refused reading."""
    return [(index, refused.code, refused.pointer) for index, refused in admit_frame(body, POINTS, NOW).rejected]


def test_rows_and_columns_say_the_same():
    by_row = admit_frame(rows(row(), row(point="Q", value=2.5, quality="bad")), POINTS, NOW)
    by_column = admit_frame(columns(quality=["good", "bad"]), POINTS, NOW)

    at = microseconds(NOW)
    assert by_row.readings == by_column.readings == {("P", at): (1.5, True), ("Q", at): (2.5, False)}


def test_a_frame_on_the_bus_is_in_the_order_of_its_times():
    admitted = admit_frame(rows(row(), row(time=EARLIER, value=7)), POINTS, NOW)

    frame = frame_of(admitted, PUSHER, NOW)

    assert frame.data.values == (7, 1.5)
    assert READINGS.reader.validate_json(frame.wire()) == frame


def test_the_same_point_and_time_twice_is_counted_and_the_last_one_holds():
    admitted = admit_frame(rows(row(), row(value=9)), POINTS, NOW)

    assert admitted.duplicates == 1
    assert list(admitted.readings.values()) == [(9.0, True)]


def test_a_good_reading_beside_a_bad_one_is_admitted():
    admitted = admit_frame(rows(row(value="1"), row(time=EARLIER)), POINTS, NOW)

    assert len(admitted.readings) == 1
    assert [index for index, _ in admitted.rejected] == [0]


def test_minus_zero_is_zero_and_the_smallest_is_too():
    admitted = admit_frame(rows(row(value=-0.0), row(point="Q", value=1e-400)), POINTS, NOW)

    assert [str(value) for value, _ in admitted.readings.values()] == ["0.0", "0.0"]


@pytest.mark.parametrize(
    ("given", "code", "member"),
    [
        (7, "bad_shape", ""),
        (row(point="X"), "unknown_point", "/point"),
        (row(point=""), "bad_point", "/point"),
        (row(point="x" * 65), "bad_point", "/point"),
        (row(point=["P"]), "bad_point", "/point"),
        (row(without="point"), "bad_point", "/point"),
        (row(without="time"), "bad_time", "/time"),
        (row(time="2026-11-25T08:00:00"), "bad_time", "/time"),
        (row(time={}), "bad_time", "/time"),
        (row(time="2026-11-25T08:10:00Z"), "time_in_future", "/time"),
        (row(without="value"), "not_a_number", "/value"),
        (row(value=None), "not_a_number", "/value"),
        (row(value="1.5"), "not_a_number", "/value"),
        (row(value=True), "not_a_number", "/value"),
        (row(value=[1]), "not_a_number", "/value"),
        (row(value=float("nan")), "not_finite", "/value"),
        (row(value=float("-inf")), "not_finite", "/value"),
        (row(value=10**400), "not_finite", "/value"),
        (row(quality="GOOD"), "bad_quality", "/quality"),
        (row(quality=["good"]), "bad_quality", "/quality"),
        (row(quality=None), "bad_quality", "/quality"),
        (row(unit="℃"), "unknown_member", "/unit"),
        (row(**{"a/b": 1}), "unknown_member", "/a~1b"),
    ],
)
def test_a_refused_reading_has_its_code_and_its_place(given, code, member):
    assert refusals(rows(row(), given)) == [(1, code, f"/readings/1{member}")]


def test_no_value_is_taken_only_with_quality_bad():
    assert refusals(rows(row(value=None, quality="bad"))) == []
    assert refusals(rows(row(value=None, quality="uncertain"))) == [(0, "not_a_number", "/readings/0/value")]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (columns(points=["P", "X"]), "/points/1"),
        (columns(values=[1, "2"]), "/values/1"),
        (columns(quality=["good", "x"]), "/quality/1"),
    ],
)
def test_in_columns_the_place_is_the_column_and_the_index(body, place):
    assert [(index, pointer) for index, _, pointer in refusals(body)] == [(1, place)]


def test_in_columns_a_wrong_time_is_everybodys():
    assert refusals(columns(time=1700000000)) == [(0, "bad_time", "/time"), (1, "bad_time", "/time")]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ([], 400, "bad_shape", ""),
        ({}, 400, "bad_shape", "/points"),
        ({"readings": {}}, 400, "bad_shape", "/readings"),
        ({"readings": [], "more": 1}, 400, "unknown_member", "/more"),
        (columns(values=None), 400, "bad_shape", "/values"),
        (columns(quality="good"), 400, "bad_shape", "/quality"),
        (columns(values=[1.5, 2.5, 3.5]), 400, "length_mismatch", "/values"),
        (columns(quality=["good"]), 400, "length_mismatch", "/values"),
        (columns(**{"a/b": 1}), 400, "unknown_member", "/a~1b"),
        ({"readings": [{}] * 10_001}, 413, "too_many_items", ""),
        (columns(points=["P"] * 10_001, values=[1] * 10_001), 413, "too_many_items", ""),
    ],
)
def test_a_frame_of_no_readable_shape_is_refused_whole(body, status, code, pointer):
    with pytest.raises(BadFrame) as bad:
        admit_frame(body, POINTS, NOW)

    assert (bad.value.status, bad.value.code, bad.value.pointer) == (status, code, pointer)


def test_no_points_are_no_readings():
    assert admit_frame(columns(points=[], values=[]), POINTS, NOW).readings == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
MEMBER = st.sampled_from(["point", "time", "value", "quality", "points", "values", "readings"])


@given(body=JSON | st.dictionaries(MEMBER, JSON), reading=JSON | st.dictionaries(MEMBER, JSON))
def test_no_json_value_is_worse_than_refused(body, reading):
    for pushed in (body, {"readings": [reading]}, {"time": AT, "points": [reading], "values": [reading]}):
        try:
            admit_frame(pushed, POINTS, NOW)
        except (BadFrame, TooDeep):
            continue
