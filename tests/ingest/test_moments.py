"""A time is RFC 3339 with offset, within what the door takes, and nothing that only resembles it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.moments import AHEAD, EARLIEST, BadTime, moment

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)


def code(text: object) -> str:
    """The code of the refusal, "" where the time is taken."""
    try:
        moment(text, NOW)
    except BadTime as bad:
        return bad.code
    return ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25T08:00:00Z", NOW),
        ("2026-11-25t08:00:00z", NOW),
        ("2026-11-25T16:00:00+08:00", NOW),
        ("2026-11-25T08:00:00-00:00", NOW),
        ("2026-11-25T22:00:00+14:00", NOW),
        ("2026-11-25T08:00:00.123456789Z", NOW + timedelta(microseconds=123456)),
        ("2026-11-25T08:00:00.1Z", NOW + timedelta(milliseconds=100)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2025-10-21T08:00:00Z", NOW - timedelta(days=400)),
        ("2000-01-01T08:00:00+08:00", EARLIEST),
        ("2026-11-25T08:05:00Z", NOW + AHEAD),
    ],
)
def test_a_time_is_read(text, expected):
    assert moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00+0800",
        "2026-01-01_00:00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T25:61:00Z",
        "2026-02-30T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+08:60",
        "2026-01-01T00:00:00." + "1" * 40 + "Z",
        "２０２６-01-01T00:00:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00Z\n",
        "1700000000",
        1700000000,
        1.7e12,
        None,
        True,
        [],
        "",
    ],
)
def test_what_only_resembles_a_time_is_no_time(text):
    assert code(text) == "bad_time"


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "1999-12-31T23:59:59Z",
        "2000-01-01T00:00:00+08:00",
    ],
)
def test_a_time_that_no_calendar_here_holds_is_out_of_range(text):
    assert code(text) == "time_out_of_range"


@pytest.mark.parametrize("text", ["2026-11-25T08:05:00.000001Z", "2026-11-25T08:10:00Z", "9998-01-01T00:00:00Z"])
def test_a_time_more_than_five_minutes_ahead_is_in_the_future(text):
    assert code(text) == "time_in_future"


@given(
    at=st.datetimes(EARLIEST.replace(tzinfo=None), NOW.replace(tzinfo=None)),
    offset=st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_a_time_written_in_any_offset_is_the_same_moment(at, offset):
    at = at.replace(tzinfo=UTC)

    assert moment(at.astimezone(timezone(timedelta(minutes=offset))).isoformat(), NOW) == at


@given(st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})\Z"))
def test_any_digits_are_a_time_or_refused(text):
    assert code(text) in {"", "bad_time", "time_out_of_range", "time_in_future"}
