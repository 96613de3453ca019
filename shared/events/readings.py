"""Readings (读数) travel as frames: what one enterprise sent together, in columns."""

from typing import Literal

from shared.events.event import Event, Value


class FrameData(Value):
    """Parallel columns. `times` are Unix microseconds; `good` tells whether a value may be judged."""

    points: tuple[str, ...]
    times: tuple[int, ...]
    values: tuple[float | None, ...]
    good: tuple[bool, ...]


class Frame(Event):
    """A reading's identity is (enterprise, point, time), so a repeated frame needs none of its own."""

    type: Literal["fengsui.frame.v1"] = "fengsui.frame.v1"
    data: FrameData


class HeartbeatData(Value):
    """The source is alive and will say so again within `interval_s` seconds."""

    interval_s: int


class Heartbeat(Event):
    """A sign of life of one source."""

    type: Literal["fengsui.heartbeat.v1"] = "fengsui.heartbeat.v1"
    data: HeartbeatData
