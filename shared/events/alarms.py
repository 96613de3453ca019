"""An alarm (报警): a condition on a point began or ended."""

from typing import Literal

from pydantic import Field

from shared.events.event import Event, Moment, Value
from shared.vocabulary import AlarmState, Level

ENGINE = "//fengsui/engine"  # source of the alarms that our own engine raises


class Reading(Value):
    """What a point read."""

    time: Moment
    value: float


class AlarmData(Value):
    """An alarm is (enterprise, point, level): `cleared` ends that one only."""

    point: str
    level: Level
    state: AlarmState
    value: float | None = None
    limit: float | None = None
    message: str | None = None
    readings: tuple[Reading, ...] | None = Field(
        None, description="what the point read until then: for the eye, no part of the fact, so a replay may have other"
    )


class Alarm(Event):
    """`time` is when it happened."""

    type: Literal["fengsui.alarm.v1"] = "fengsui.alarm.v1"
    enterprise_name: str = ""
    data: AlarmData
