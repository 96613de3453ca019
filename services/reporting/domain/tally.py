"""What an event adds to the figures: facts, decided by its id alone, and the roll-ups that they sum up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.reporting.domain.period import day_of
from shared.events.alarms import Alarm
from shared.events.cases import CaseChanged
from shared.events.event import Event, microseconds
from shared.events.notifications import NotificationChanged
from shared.vocabulary import AlarmState, CaseKind, Grade, Level, NotificationKind


class Measure(StrEnum):
    """What is counted (contracts, "Statistics"); a void case was opened, and is neither open nor closed."""

    ALARMS = "alarms"  # 报警: raised events, those during a condition as well
    CASES_OPENED = "cases_opened"  # 立案, on the ledger's day of opening
    CASES_CLOSED = "cases_closed"  # 销号
    CASES_OPEN = "cases_open"  # 在办
    CASES_OVERDUE = "cases_overdue"  # 超期
    SECONDS_TO_ACKNOWLEDGE = "seconds_to_acknowledge"  # 应答用时, on the day of the answer; of no grade
    SECONDS_TO_CLOSE = "seconds_to_close"  # 销号用时, on the day of closing


STOCKS: Final = frozenset({Measure.CASES_OPEN, Measure.CASES_OVERDUE})
"""How cases stand now; no fact, and no period bounds them. Their day is the day of opening."""
DURATIONS: Final = frozenset({Measure.SECONDS_TO_ACKNOWLEDGE, Measure.SECONDS_TO_CLOSE})
COUNTED: Final = tuple(measure for measure in Measure if measure not in STOCKS)
"""The measures that are made of facts."""


class Group(StrEnum):
    """By what figures are grouped."""

    DAY = "day"
    REGION = "region"
    INDUSTRY = "industry"
    LEVEL = "level"
    GRADE = "grade"
    ENTERPRISE = "enterprise"


class Key(NamedTuple):
    """What a roll-up is of; `grade` is empty where there is none, for a key has no gaps."""

    measure: Measure
    day: date
    region: str
    industry: str
    level: Level
    grade: str
    enterprise: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened, once for each (event id, measure)."""

    id: UUID
    key: Key
    at: datetime
    case: UUID | None = None
    took: int = 0
    """Microseconds, for the durations: whole numbers add up to the same in any order."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Facts together; `sum` and `max` in microseconds."""

    count: int = 0
    sum: int = 0
    max: int = 0

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.count + other.count, self.sum + other.sum, max(self.max, other.max))


def of_alarm(alarm: Alarm) -> list[Fact]:
    """A raised alarm counts; a clearing does not."""
    if alarm.data.state is not AlarmState.RAISED:
        return []
    return [_fact(alarm, Measure.ALARMS, alarm.time, alarm.data.level)]


def of_case(change: CaseChanged) -> list[Fact]:
    """An opening or a closing counts, by the level and grade of that step."""
    data = change.data
    match data.kind:
        case CaseKind.OPENED:
            # The ledger's moment, not the alarm's own, which may be much earlier: figures add up to the ledger.
            return [_fact(change, Measure.CASES_OPENED, data.opened_at, data.level, data.grade, data.case)]
        case CaseKind.ACCEPTED:
            closed = _fact(change, Measure.CASES_CLOSED, change.time, data.level, data.grade, data.case)
            took = _between(data.opened_at, change.time)
            return [
                closed,
                _fact(change, Measure.SECONDS_TO_CLOSE, change.time, data.level, data.grade, data.case, took),
            ]
        case _:
            return []


def is_first_answer(change: NotificationChanged) -> bool:
    """Of what happens to notifications only the first answer that anyone gave for a case counts."""
    return change.data.kind is NotificationKind.ACKNOWLEDGED and change.data.case_first


def of_answer(answer: NotificationChanged) -> Fact:
    """How long a case waited for its first answer."""
    data, took = answer.data, _between(answer.data.first_created_at, answer.time)
    return _fact(answer, Measure.SECONDS_TO_ACKNOWLEDGE, answer.time, data.level, None, data.case, took)


def roll_up(facts: Iterable[Fact]) -> dict[Key, Figure]:
    """The figures of facts that are distinct; batches of them add up in any order."""
    figures: dict[Key, Figure] = {}
    for fact in facts:
        figures[fact.key] = figures.get(fact.key, Figure()) + Figure(1, fact.took, fact.took)
    return figures


def _fact(
    event: Event,
    measure: Measure,
    at: datetime,
    level: Level,
    grade: Grade | None = None,
    case: UUID | None = None,
    took: int = 0,
) -> Fact:
    key = Key(measure, day_of(at), event.region, event.industry, level, grade or "", event.enterprise)
    return Fact(event.id, key, at, case, took)


def _between(start: datetime, end: datetime) -> int:
    """Microseconds; two clocks may disagree, but nothing takes less than no time."""
    return max(0, microseconds(end) - microseconds(start))
