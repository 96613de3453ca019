"""How long a case may stay where it is, and how it climbs; the periods are data, not law."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.vocabulary import Grade, Level

CONFIRM, RECTIFY = "confirm", "rectify"


@dataclass(frozen=True, slots=True)
class Period:
    """Time until overdue, and between two tiers after that."""

    within: timedelta
    climb: timedelta


Periods = Mapping[tuple[str, str], Period]
"""By stage (confirm, rectify) and level or grade."""

# All unverified, the project's own choice (no rule was found for the colours, and none of Jilin for the
# grades, so 30 and 90 days stand in, after local practice of 限期整改). The table deadline_periods overrides them.
DEFAULTS: Final[Periods] = {
    (CONFIRM, Level.RED): Period(timedelta(minutes=30), timedelta(minutes=10)),
    (CONFIRM, Level.ORANGE): Period(timedelta(hours=1), timedelta(minutes=20)),
    (CONFIRM, Level.YELLOW): Period(timedelta(hours=4), timedelta(hours=4)),
    (CONFIRM, Level.BLUE): Period(timedelta(hours=24), timedelta(hours=24)),
    (RECTIFY, Grade.GENERAL): Period(timedelta(days=30), timedelta(days=3)),
    (RECTIFY, Grade.MAJOR): Period(timedelta(days=90), timedelta(days=7)),
}


def to_confirm(periods: Periods, level: Level) -> Period:
    """For a case that somebody must confirm."""
    return periods[CONFIRM, level]


def to_rectify(periods: Periods, grade: Grade) -> Period:
    """For a case that must be rectified."""
    return periods[RECTIFY, grade]
