"""The faults that the demo province is known to have, written down so that what the system finds can be scored."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, Literal

from deploy.demo.province import Point, by_slug, point_of
from deploy.demo.signals import chance, healthy, instants, shown

LimitName = Literal["LL", "L", "H", "HH"]

EVERY_POINT: Final = "*"


class Kind(StrEnum):
    """What is wrong with a signal."""

    DRIFT = "drift"  # 漂移: walks off by `size` during the first half, stays there, and is back at once at the end
    CHATTER = "chatter"  # 抖动: jumps across `around` by `size` with every reading
    SPIKE = "spike"  # 尖峰: one reading that is off by `size`
    STUCK = "stuck"  # 卡死: shows the value with which it began
    SILENCE = "silence"  # 断线: sends nothing


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one point (or all an enterprise sends), every `period` s from `start` s after the world began.

    `size` and `around` are in the point's unit. `crosses` are the limits at which an alarm is to be expected each time:
    none for a spike that the point's delay is there to absorb.
    """

    enterprise: str
    point: str
    kind: Kind
    start: int
    period: int
    lasts: int
    size: float = 0.0
    around: float = 0.0
    crosses: tuple[LimitName, ...] = ()

    def began(self, epoch: int, at: int) -> int | None:
        """When the episode began that is under way at `at`; None when there is none."""
        elapsed = at - epoch - self.start
        inside = elapsed >= 0 and elapsed % self.period < self.lasts
        return at - elapsed % self.period if inside else None

    def episodes(self, epoch: int, since: int, until: int) -> range:
        """The beginnings of the episodes that begin from `since` on and before `until`."""
        first = epoch + self.start
        skipped = max(0, -((first - since) // self.period))
        return range(first + skipped * self.period, until, self.period)


FAULTS: Final = (
    # An ammonia leak in a refrigerating machine room: caution, then danger, within two minutes of the first start.
    Fault("yushu-meat", "AI-101", Kind.DRIFT, 20, 3600, 480, size=44, crosses=("H", "HH")),
    # A reactor that runs away slowly, behind a delay of a minute.
    Fault("longtan-acrylonitrile", "TI-101", Kind.DRIFT, 240, 5400, 960, size=45, crosses=("H", "HH")),
    # A tank that is pumped dry.
    Fault("ningjiang-refinery", "LI-211", Kind.DRIFT, 900, 7200, 1500, size=-48, crosses=("L", "LL")),
    # Cooling water that weakens, and recovers before it is dangerous.
    Fault("erdaojiang-steel", "FI-102", Kind.DRIFT, 1500, 5400, 900, size=-200, crosses=("L",)),
    # A gas sensor with a bad seal, around its caution limit.
    Fault("fengman-circuits", "AI-104", Kind.CHATTER, 60, 1800, 90, size=4, around=25, crosses=("H",)),
    # A loose contact in a crossing's supply, around the limit at which its signals go dark.
    Fault("taobei-crossings", "EI-201", Kind.CHATTER, 420, 3600, 70, size=6, around=176, crosses=("L", "LL")),
    # A gust of carbon monoxide in one reading: gas has no delay, so it is an alarm.
    Fault("changyi-ferroalloy", "AI-204", Kind.SPIKE, 150, 2700, 10, size=60, crosses=("H", "HH")),
    # The same on a furnace wall is absorbed by the delay.
    Fault("panshi-nickel", "TI-101", Kind.SPIKE, 600, 1800, 30, size=100),
    # A transmitter that froze, and one whose line is broken.
    Fault("tonghua-pharma", "PI-102", Kind.STUCK, 300, 4800, 1200),
    Fault("siping-trucks", "TI-102", Kind.SILENCE, 1200, 5100, 600),
    # A gateway that goes down: no readings, no heartbeat.
    Fault("yanji-datacentre", EVERY_POINT, Kind.SILENCE, 720, 6000, 420),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """An alarm that a fault should cause: `crossed_at` is the first reading at or beyond the limit, in Unix seconds.

    Exact to the second, for readings that all arrive. The alarm itself comes with the first reading `delay_s` later;
    noise can hold it back by a few readings more where a drift crosses slowly. `excursions` is how often the limit is
    crossed in the episode as the readings stand; a deadband may join several into one alarm.
    """

    fault: Fault
    uscc: str
    limit: LimitName
    crossed_at: int
    delay_s: int
    excursions: int


def expected_alarms(epoch: int, since: int, until: int) -> list[Expected]:
    """What the episodes that begin from `since` on and before `until` should raise, in the order of their crossing."""
    found = [
        expected
        for fault in FAULTS
        for began in fault.episodes(epoch, since, until)
        for limit in fault.crosses
        for expected in _expected(fault, limit, epoch, began)
    ]
    return sorted(found, key=lambda expected: expected.crossed_at)


def observed(point: Point, epoch: int, at: int) -> float | None:
    """What the point sends at `at` in the world that began at `epoch`; None when it is silent."""
    value = healthy(point, at)
    for fault in faults_of(point.uscc, point.point):
        began = fault.began(epoch, at)
        if began is None:
            continue
        if fault.kind is Kind.SILENCE:
            return None
        value = _spoilt(fault, point, value, began, at)
    return shown(point, value)


def silent(uscc: str, epoch: int, at: int) -> bool:
    """Whether the whole enterprise is cut off."""
    return any(fault.began(epoch, at) is not None for fault in faults_of(uscc, EVERY_POINT))


@cache
def faults_of(uscc: str, point: str) -> tuple[Fault, ...]:
    """The faults that touch what the point sends."""
    return tuple(
        fault for fault in FAULTS if by_slug()[fault.enterprise].uscc == uscc and fault.point in (point, EVERY_POINT)
    )


def _spoilt(fault: Fault, point: Point, value: float, began: int, at: int) -> float:
    match fault.kind:
        case Kind.DRIFT:
            return value + fault.size * min(1.0, 2 * (at - began) / fault.lasts)
        case Kind.CHATTER:
            side = 1 if (at - began) // point.step_s % 2 == 0 else -1
            return fault.around + side * fault.size * (1 + 0.1 * chance(point.uscc, point.point, at, "jitter"))
        case Kind.SPIKE:
            return value + fault.size
        case Kind.STUCK:
            return healthy(point, began)
        case Kind.SILENCE:
            return value


def _expected(fault: Fault, limit: LimitName, epoch: int, began: int) -> Iterator[Expected]:
    point = point_of(fault.enterprise, fault.point)
    sent = ((at, observed(point, epoch, at)) for at in instants(point, began - 1, began + fault.lasts - 1))
    beyond = [(at, value is not None and _reaches(point, limit, value)) for at, value in sent]
    starts = [at for (at, now), (_, before) in zip(beyond, [(0, False), *beyond], strict=False) if now and not before]
    if starts:
        yield Expected(fault, point.uscc, limit, starts[0], point.delay_s, len(starts))


def _reaches(point: Point, limit: LimitName, value: float) -> bool:
    match limit:
        case "LL":
            return point.ll is not None and value <= point.ll
        case "L":
            return point.l is not None and value <= point.l
        case "H":
            return point.h is not None and value >= point.h
        case "HH":
            return point.hh is not None and value >= point.hh
