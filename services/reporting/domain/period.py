"""Days and periods as the department counts them: calendar days of Asia/Shanghai, whatever clock told an event."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")  # by name: its clocks ran an hour ahead in the summers of 1986 to 1991
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIOD = re.compile(r"(?P<year>[0-9]{4})(?:-(?:W(?P<week>[0-9]{2})|(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?))?")


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both inside."""

    title: str
    first: date
    last: date


def day_of(moment: datetime) -> date:
    """The day on which it happened."""
    return moment.astimezone(SHANGHAI).date()


def parse_day(text: str) -> date:
    """A day as it stands in a question; raises ValueError for anything but YYYY-MM-DD."""
    if not _DAY.fullmatch(text):
        raise ValueError("should be a day of Asia/Shanghai, such as 2026-11-25")
    return date.fromisoformat(text)


def parse_period(text: str) -> Period:
    """The period of a report: 2026, 2026-11, 2026-W48 (ISO 8601, from Monday) or 2026-11-25; raises ValueError."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError("should be a year, month, week or day, such as 2026, 2026-11, 2026-W48 or 2026-11-25")
    year, month, week, day = (int(found[name]) if found[name] else None for name in ("year", "month", "week", "day"))
    assert year is not None
    if week is not None:
        monday, sunday = (date.fromisocalendar(year, week, weekday) for weekday in (1, 7))
        return Period(f"{year}年第{week}周", monday, sunday)
    if month is None:
        return Period(f"{year}年", date(year, 1, 1), date(year, 12, 31))
    if day is None:
        first = date(year, month, 1)
        return Period(f"{year}年{month}月", first, first.replace(day=monthrange(year, month)[1]))
    only = date(year, month, day)
    return Period(f"{year}年{month}月{day}日", only, only)
