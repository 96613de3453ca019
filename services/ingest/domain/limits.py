"""A limit raises where it is reached and clears past its deadband, each after its delay in reading time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from typing import Final, Literal

from shared.vocabulary import Level

LimitName = Literal["LL", "L", "H", "HH"]  # 低低报, 低报, 高报, 高高报

NAMES: Final[tuple[LimitName, ...]] = ("LL", "L", "H", "HH")
# No source maps limits to colours: the contract at the door says so, and a point may say otherwise.
DEFAULT_LEVELS: Final[Mapping[LimitName, Level]] = {
    "LL": Level.RED,
    "L": Level.YELLOW,
    "H": Level.YELLOW,
    "HH": Level.RED,
}

NORMAL, RAISING, ACTIVE, CLEARING = range(4)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a point is judged by: values in its unit, delays in µs, `levels` only where not the default."""

    ll: float | None = None
    l: float | None = None  # noqa: E741
    h: float | None = None
    hh: float | None = None
    deadband: float = 0.0
    on_delay_us: int = 0
    off_delay_us: int = 0
    levels: Mapping[LimitName, Level] = field(default_factory=dict, hash=False)
    quiet_above: float = field(init=False, repr=False, compare=False)
    quiet_below: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Between `quiet_above` and `quiet_below`, both excluded, no limit is reached."""
        lows = (low for low in (self.ll, self.l) if low is not None)
        highs = (high for high in (self.h, self.hh) if high is not None)
        object.__setattr__(self, "quiet_above", max(lows, default=-inf))
        object.__setattr__(self, "quiet_below", min(highs, default=inf))

    @property
    def are_none(self) -> bool:
        """Whether no value can reach anything."""
        return self.quiet_above == -inf and self.quiet_below == inf

    def value(self, name: LimitName) -> float | None:
        """Where the limit of that name stands, None where the point has none."""
        return {"LL": self.ll, "L": self.l, "H": self.h, "HH": self.hh}[name]

    def level(self, name: LimitName) -> Level:
        """The level at which that limit raises."""
        return self.levels.get(name, DEFAULT_LEVELS[name])


def advance(limits: Limits, name: LimitName, phase: int, since: int, at: int, value: float) -> tuple[int, int]:
    """The limit's phase after a newer reading, and since when (µs) a delay runs, 0 when none does."""
    limit = limits.value(name)
    if limit is None:
        return NORMAL, 0
    sign = -1 if name in ("LL", "L") else 1
    if phase in (NORMAL, RAISING):
        rest, waiting, moved, delay = NORMAL, RAISING, ACTIVE, limits.on_delay_us
        met = sign * value >= sign * limit
    else:
        rest, waiting, moved, delay = ACTIVE, CLEARING, NORMAL, limits.off_delay_us
        met = sign * value < _less(sign * limit, limits.deadband)
    if not met:
        return rest, 0
    start = since if phase == waiting else at
    return (moved, 0) if at - start >= delay else (waiting, start)


def _less(limit: float, deadband: float) -> float:
    """The difference of the decimals as written: in binary 0.8 - 0.1 is above 0.7, and 0.7 would clear."""
    return float(Decimal(str(limit)) - Decimal(str(deadband)))
