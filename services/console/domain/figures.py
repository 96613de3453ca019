"""What the statistics page shows: a period, and reporting's figures folded into the lines of a chart and a table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, Self

LONGEST_DAYS: Final = 366  # ours: a year of days is what a chart can show


class Measure(StrEnum):
    """The measures of contracts, "Statistics", in the order of a case's life."""

    ALARMS = "alarms"
    CASES_OPENED = "cases_opened"
    CASES_CLOSED = "cases_closed"
    CASES_OPEN = "cases_open"
    CASES_OVERDUE = "cases_overdue"
    SECONDS_TO_ACKNOWLEDGE = "seconds_to_acknowledge"
    SECONDS_TO_CLOSE = "seconds_to_close"


STOCKS: Final = frozenset({Measure.CASES_OPEN, Measure.CASES_OVERDUE})
"""As it stands now: no period bounds them, and their day is the day of opening."""
DURATIONS: Final = frozenset({Measure.SECONDS_TO_ACKNOWLEDGE, Measure.SECONDS_TO_CLOSE})


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, and of a duration the sum and the longest in seconds as well."""

    count: int = 0
    sum: float = 0.0
    longest: float = 0.0

    @classmethod
    def of(cls, answered: Any) -> Self:
        """As reporting answers it."""
        if isinstance(answered, Mapping):
            return cls(answered["count"], answered["sum"], answered["max"])
        return cls(answered)

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.count + other.count, self.sum + other.sum, max(self.longest, other.longest))

    @property
    def mean(self) -> float | None:
        """Of a duration, in seconds; None where nothing was measured."""
        return self.sum / self.count if self.count else None


Line = dict[Measure, Figure]
"""All measures of one day, region, industry or level."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day of Asia/Shanghai, both inside."""

    first: date
    last: date

    @property
    def days(self) -> list[str]:
        """Each day, so that one on which nothing happened is shown as well."""
        return [(self.first + timedelta(days=n)).isoformat() for n in range((self.last - self.first).days + 1)]


def period(first: date | None, last: date | None, today: date, days: int = 30) -> Period:
    """The period that was asked for, ordered and of a length that can be shown; the last 30 days by default."""
    last = last or today
    first = first or last - timedelta(days=days - 1)
    first, last = min(first, last), max(first, last)
    return Period(max(first, last - timedelta(days=LONGEST_DAYS - 1)), last)


def line_of(row: Mapping[str, Any]) -> Line:
    """The measures of one of reporting's rows."""
    return {measure: Figure.of(row[measure]) for measure in Measure if measure in row}


def folded(rows: Iterable[Mapping[str, Any]], name: Callable[[Mapping[str, Any]], str]) -> dict[str, Line]:
    """Rows summed up under a name each, such as the city of a county."""
    found: dict[str, Line] = {}
    for row in rows:
        line = found.setdefault(name(row), {})
        for measure, figure in line_of(row).items():
            line[measure] = line.get(measure, Figure()) + figure
    return found


def total(lines: Iterable[Line]) -> Line:
    """All of them together."""
    found: Line = dict.fromkeys(Measure, Figure())
    for line in lines:
        for measure, figure in line.items():
            found[measure] += figure
    return found


def plotted(line: Line, measure: Measure) -> float | None:
    """What a chart draws of a measure: how many, or of a duration the mean in minutes."""
    figure = line.get(measure, Figure())
    if measure not in DURATIONS:
        return figure.count
    return None if figure.mean is None else round(figure.mean / 60, 1)
