"""The same readings give the same alarms, however their stream is cut and whatever of it comes twice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from services.ingest.domain.limits import ACTIVE, CLEARING, NAMES, LimitName, Limits, advance
from shared.events.readings import FrameData
from shared.vocabulary import GRAVITY, AlarmState, Level

BLOCK_POINTS: Final = 256

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = -(2**63)
_NO_LIMITS: Final = Limits()
_QUIET: Final = [0, 0, 0, 0]
_LEVELS: Final = {gravity: level for level, gravity in GRAVITY.items()}
_OUTER_FIRST: Final = (0, 3, 1, 2)  # LL, HH, L, H


@dataclass(frozen=True, slots=True)
class Crossing:
    """A limit raised or cleared at the reading that decided it; `limit_value` is None once it is gone."""

    point: str
    limit: LimitName
    limit_value: float | None
    level: Level
    state: AlarmState
    at: int
    value: float


@dataclass(slots=True)
class Block:
    """Up to 256 points as the arrays of one row; `states` and `since` hold four a point: LL, L, H, HH.

    A state is the phase (0 normal, 1 raising, 2 active, 3 clearing) plus ten times the gravity of the level
    that was raised (red 4 to blue 1, none 0): 22 is active and yellow. The level is kept because an alarm
    must clear at the level at which it was raised, whatever the limits say by then. `since` is when a delay
    began to run, in Unix µs as all times here, 0 when none does.
    """

    number: int
    points: list[str] = field(default_factory=list)
    last_at: list[int] = field(default_factory=list)
    last_value: list[float] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    since: list[int] = field(default_factory=list)
    touched: bool = False


class PointStates:
    """One enterprise's blocks: those of the batch's points, and the last, where new points go, if there are any."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self.blocks = sorted(blocks, key=lambda block: block.number)
        self._places = {point: (block, i) for block in self.blocks for i, point in enumerate(block.points)}

    def __contains__(self, point: str) -> bool:
        return point in self._places

    def place(self, point: str) -> tuple[Block, int]:
        """The point's block and its index there; a point not seen before gets one."""
        return self._places.get(point) or self._add(point)

    def touched(self) -> list[Block]:
        """The blocks to write."""
        return [block for block in self.blocks if block.touched]

    def _add(self, point: str) -> tuple[Block, int]:
        if not self.blocks or len(self.blocks[-1].points) >= BLOCK_POINTS:
            self.blocks.append(Block(number=self.blocks[-1].number + 1 if self.blocks else 0))
        block = self.blocks[-1]
        self._places[point] = place = (block, len(block.points))
        block.points.append(point)
        block.last_at.append(_NEVER)
        block.last_value.append(0.0)
        block.states.extend(_QUIET)
        block.since.extend(_QUIET)
        return place


def decide(state: PointStates, limits: Mapping[str, Limits], frame: FrameData) -> list[Crossing]:
    """What the frame raises and clears, in its order; `state` advances in place: drop it if the batch fails.

    A reading that is bad, has no value or is not newer than its point's last is without effect.
    """
    crossings: list[Crossing] = []
    for point, at, value, good in zip(frame.points, frame.times, frame.values, frame.good, strict=True):
        if value is None or not good:
            continue
        block, i = state.place(point)
        if at <= block.last_at[i]:
            continue
        block.last_at[i] = at
        block.last_value[i] = value
        block.touched = True
        own = limits.get(point, _NO_LIMITS)
        if own.quiet_above < value < own.quiet_below and block.states[4 * i : 4 * i + 4] == _QUIET:
            continue
        crossings += _judge(block, i, own)
    return crossings


def alarm_id(point: str, limit: LimitName, at: int, state: AlarmState) -> str:
    """The CloudEvents id of an alarm of the engine, such as `T-101/HH/2026-11-25T08:00:00Z/raised`."""
    time = (_EPOCH + timedelta(microseconds=at)).isoformat().removesuffix("+00:00")
    return f"{point}/{limit}/{time}Z/{state}"


def _judge(block: Block, i: int, limits: Limits) -> list[Crossing]:
    """Advances all four limits of a point by its last reading."""
    at, value = block.last_at[i], block.last_value[i]
    own = slice(4 * i, 4 * i + 4)
    before = block.states[own]
    for k, name in enumerate(NAMES, start=own.start):
        gravity, phase = divmod(block.states[k], 10)
        phase, block.since[k] = advance(limits, name, phase, block.since[k], at, value)
        gravity = {ACTIVE: GRAVITY[limits.level(name)], CLEARING: gravity}.get(phase, 0)
        block.states[k] = 10 * gravity + phase
    return [
        Crossing(block.points[i], name, limits.value(name), level, state, at, value)
        for name, level, state in _changes(_raised(before), _raised(block.states[own]))
    ]


def _raised(states: Sequence[int]) -> list[Level | None]:
    return [_LEVELS.get(state // 10) for state in states]


def _changes(
    before: Sequence[Level | None], after: Sequence[Level | None]
) -> Iterator[tuple[LimitName, Level, AlarmState]]:
    """What cleared, outer limits first and a level only with its last one; then what raised, inner first."""
    held = list(before)
    for k in _OUTER_FIRST:
        level = before[k]
        if level and level != after[k]:
            held[k] = None
            if level not in held:
                yield NAMES[k], level, AlarmState.CLEARED
    for k in reversed(_OUTER_FIRST):
        level = after[k]
        if level and level != before[k]:
            yield NAMES[k], level, AlarmState.RAISED
