"""Times as enterprises write them: RFC 3339 with offset, and nothing that only resembles it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(minutes=5)  # how far a clock may run ahead (contracts, "The HTTP door")

_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)


class BadTime(ValueError):
    """Not an admissible time; the argument is the code, the second the sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def moment(text: object, now: datetime) -> datetime:
    """The moment that a text names, in UTC; fractions are cut to microseconds, a leap second is the next one.

    Raises BadTime with `bad_time`, `time_out_of_range` (before 2000) or `time_in_future` (past now + 5 min)."""
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadTime("bad_time", "a time is RFC 3339 with offset, such as 2026-11-25T08:00:00+08:00")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, zulu, sign, offset_hours, offset_minutes = match.groups()[6:]
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    if not 1900 < year < 9999:  # what the calendar cannot hold once it is moved to UTC
        raise BadTime("time_out_of_range", f"before {EARLIEST.date()}, or absurd")
    try:
        if zulu:
            zone = UTC
        else:
            if int(offset_hours) > 23 or int(offset_minutes) > 59:
                raise ValueError("offset")
            shift = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
            zone = timezone(-shift if sign == "-" else shift)
        leap = timedelta(seconds=1) if second == 60 else timedelta(0)
        local = datetime(year, month, day, hour, minute, second - (second == 60), micros, tzinfo=zone)
        at = local.astimezone(UTC) + leap
    except ValueError as error:
        raise BadTime("bad_time", f"there is no such time: {error}") from error
    if at < EARLIEST:
        raise BadTime("time_out_of_range", f"before {EARLIEST.date()}")
    if at > now + AHEAD:
        raise BadTime("time_in_future", "more than five minutes ahead of the clock here")
    return at
