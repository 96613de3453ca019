"""Days are those of Shanghai, and a period is what its name says."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.reporting.domain.period import Period, day_of, parse_day, parse_period


def test_a_day_begins_at_midnight_in_shanghai():
    last, first = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 24, 16, tzinfo=UTC)

    days = day_of(last), day_of(first)

    assert days == (date(2026, 11, 24), date(2026, 11, 25))


def test_a_summer_of_1988_begins_its_days_an_hour_earlier():
    half_past_midnight = datetime(1988, 7, 9, 15, 30, tzinfo=UTC)

    day = day_of(half_past_midnight)

    assert day == date(1988, 7, 10)
    assert day_of(half_past_midnight - timedelta(minutes=31)) == date(1988, 7, 9)


@pytest.mark.parametrize(
    ("name", "title", "first", "last"),
    [
        ("2026", "2026年", "2026-01-01", "2026-12-31"),
        ("2026-11", "2026年11月", "2026-11-01", "2026-11-30"),
        ("2028-02", "2028年2月", "2028-02-01", "2028-02-29"),
        ("2026-W48", "2026年第48周", "2026-11-23", "2026-11-29"),
        ("2026-W53", "2026年第53周", "2026-12-28", "2027-01-03"),
        ("2026-11-25", "2026年11月25日", "2026-11-25", "2026-11-25"),
    ],
)
def test_a_period_is_named_by_year_month_week_or_day(name, title, first, last):
    period = parse_period(name)

    assert period == Period(title, date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "26",
        "2026-13",
        "2026-00",
        "2027-W53",
        "2026-W00",
        "2026-02-30",
        "0000",
        "2026-11-25T00:00",
        "２０２６",
        "2026-1",
    ],
)
def test_what_is_no_period_is_refused(name):
    with pytest.raises(ValueError, match=r"should be|must be|out of range|Invalid week"):
        parse_period(name)


@pytest.mark.parametrize("text", ["", "20261125", "2026-11-25T00:00:00Z", "2026-02-30", "2026-W48-3", "1700000000"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=r"should be|out of range"):
        parse_day(text)
