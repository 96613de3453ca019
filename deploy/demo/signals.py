"""What a healthy point shows follows from seed, point and time alone, so a restart goes on in the same world."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from math import floor, log10, pi, sin
from typing import Final

from deploy.demo.province import Point

SEED: Final = 20240322  # the date of the department's work-safety plan that the platform follows

DAY_S: Final = 86_400
_DAILY_WAVE: Final = 0.10  # shares of the room between the usual value and its nearest limit
_SHORT_WAVE: Final = 0.06
_NOISE: Final = 0.04


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one point at a whole Unix second."""

    point: str
    at: int
    value: float


def chance(*what: object) -> float:
    """A number in [0, 1) that belongs to `what`, the same in every process."""
    name = "/".join(map(str, (SEED, *what)))
    return int.from_bytes(blake2b(name.encode(), digest_size=7).digest()) / 2**56


def healthy(point: Point, at: int) -> float:
    """The value without any fault; it uses a fifth of the room there is to the nearest limit."""
    own = _character(point)
    waves = _DAILY_WAVE * sin(2 * pi * (at / DAY_S + own.day_phase))
    waves += _SHORT_WAVE * sin(2 * pi * (at / own.short_period_s + own.short_phase))
    noise = _NOISE * (2 * chance(point.uscc, point.point, at) - 1)
    return own.usual + own.room * (waves + noise)


def shown(point: Point, value: float) -> float:
    """The value as an instrument shows it: people whole, the rest to a hundredth of its room, no tank below empty."""
    own = _character(point)
    return float(round(max(value, 0.0) if own.usual >= 0 else value, own.digits))


def instants(point: Point, since: int, until: int) -> Iterator[int]:
    """When the point is sampled, after `since` and up to `until`: every `step_s` from a moment of its own."""
    phase = int(chance(point.uscc, point.point, "phase") * point.step_s)
    first = since + 1 + (phase - since - 1) % point.step_s
    return iter(range(first, until + 1, point.step_s))


def rfc3339(at: int) -> str:
    """A whole Unix second as the door wants it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class _Character:
    """What is constant about a point; `room` is how far its nearest limit (or zero) lies from its usual value."""

    usual: float
    room: float
    digits: int
    day_phase: float
    short_period_s: float
    short_phase: float


@cache
def _character(point: Point) -> _Character:
    if point.usual is None:
        raise ValueError(f"{point.uscc} {point.point} is not simulated")
    usual = point.usual
    above = [high - usual for high in (point.h, point.hh) if high is not None]
    below = [usual - low for low in (point.l, point.ll) if low is not None]
    room = min(above + (below or [abs(usual)]))
    return _Character(
        usual=usual,
        room=room,
        digits=0 if point.quantity == "headcount" else max(0, 2 - floor(log10(room))),
        day_phase=chance(point.uscc, point.point, "day"),
        short_period_s=600 + 1800 * chance(point.uscc, point.point, "period"),
        short_phase=chance(point.uscc, point.point, "short"),
    )
