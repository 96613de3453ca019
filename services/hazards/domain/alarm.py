"""An alarm (报警) on the board: by enterprise, point and level, in alarm or not."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.events.alarms import Alarm, AlarmData
from shared.events.event import NAMESPACE, derived_id
from shared.vocabulary import AlarmState, Level

SERIOUS = frozenset({Level.RED, Level.ORANGE})  # these open a case by themselves (contracts, "Cases")


class AlarmKey(NamedTuple):
    """What an alarm is."""

    enterprise: str
    point: str
    level: Level


class Turn(StrEnum):
    """What an alarm event did to its place on the board."""

    RAISED = "raised"  # the condition began
    AGAIN = "again"  # said again while in alarm
    LATE = "late"  # began, and ended before we heard of it
    CLEARED = "cleared"  # the condition ended
    STALE = "stale"  # the end of an earlier condition
    NOTHING = "nothing_to_clear"


@dataclass(frozen=True, slots=True)
class BoardAlarm:
    """How an alarm stands."""

    key: AlarmKey
    region: str
    industry: str
    enterprise_name: str
    state: AlarmState
    value: float | None
    limit: float | None
    message: str | None
    raised_at: datetime | None
    cleared_at: datetime | None
    occurrences: int
    case: UUID | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    unanswered_at: datetime | None = None
    """When it opens a case because nobody answered (a policy; None: never)."""
    said_at: datetime | None = None
    """When it was last said to be in alarm: an end that is older ends nothing."""


def after(known: BoardAlarm | None, alarm: Alarm) -> tuple[BoardAlarm, Turn]:
    """The board once the alarm is known. The alarms' own times decide what is late; equal times go in order."""
    place = known or _empty(alarm)
    return _after_raised(place, alarm) if alarm.data.state is AlarmState.RAISED else _after_cleared(place, alarm)


def _after_raised(place: BoardAlarm, alarm: Alarm) -> tuple[BoardAlarm, Turn]:
    if place.state is AlarmState.RAISED:
        return _said_again(place, alarm), Turn.AGAIN
    if place.cleared_at is not None and alarm.time < place.cleared_at:
        began = place.raised_at or alarm.time
        return replace(place, raised_at=began, occurrences=place.occurrences + 1), Turn.LATE
    return _raised(place, alarm), Turn.RAISED


def _after_cleared(place: BoardAlarm, alarm: Alarm) -> tuple[BoardAlarm, Turn]:
    if place.state is AlarmState.CLEARED:
        return replace(place, cleared_at=_later(place.cleared_at, alarm.time)), Turn.NOTHING
    said_at = place.said_at or place.raised_at
    if said_at is not None and alarm.time < said_at:
        return place, Turn.STALE
    return replace(place, state=AlarmState.CLEARED, cleared_at=alarm.time, unanswered_at=None), Turn.CLEARED


def _said_again(place: BoardAlarm, alarm: Alarm) -> BoardAlarm:
    if place.said_at is not None and alarm.time < place.said_at:
        return place
    data = alarm.data
    return replace(place, value=data.value, limit=data.limit, message=data.message, said_at=alarm.time)


def _empty(alarm: Alarm) -> BoardAlarm:
    return BoardAlarm(
        key=AlarmKey(alarm.enterprise, alarm.data.point, alarm.data.level),
        region=alarm.region,
        industry=alarm.industry,
        enterprise_name=alarm.enterprise_name,
        state=AlarmState.CLEARED,
        value=None,
        limit=None,
        message=None,
        raised_at=None,
        cleared_at=None,
        occurrences=0,
    )


def _raised(place: BoardAlarm, alarm: Alarm) -> BoardAlarm:
    """A new condition asks for a new answer: the old acknowledgement ended with the old condition."""
    return replace(
        place,
        region=alarm.region,
        industry=alarm.industry,
        enterprise_name=alarm.enterprise_name,
        state=AlarmState.RAISED,
        value=alarm.data.value,
        limit=alarm.data.limit,
        message=alarm.data.message,
        raised_at=alarm.time,
        said_at=alarm.time,
        occurrences=place.occurrences + 1,
        acknowledged_at=None,
        acknowledged_by=None,
    )


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def as_alarm(place: BoardAlarm) -> Alarm:
    """The alarm that waited, as the sign that opens its case; its id is of (row, step), so it is made once."""
    assert place.raised_at is not None
    name = f"{place.key.enterprise}/{place.key.point}/{place.key.level}/{place.occurrences}"
    return Alarm(
        id=derived_id(NAMESPACE, "unanswered", name),
        source="//fengsui/hazards",
        time=place.raised_at,
        enterprise=place.key.enterprise,
        enterprise_name=place.enterprise_name,
        region=place.region,
        industry=place.industry,
        data=AlarmData(
            point=place.key.point,
            level=place.key.level,
            state=AlarmState.RAISED,
            value=place.value,
            limit=place.limit,
            message=place.message,
        ),
    )
