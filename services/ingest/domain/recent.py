"""What points read lately, as far as this process heard it: shown beside an alarm, and never a ground to decide on."""

from array import array
from collections.abc import Mapping
from typing import Final

from services.ingest.domain.limits import Limits
from shared.events.readings import FrameData

SHOWN: Final = 60
MOST_POINTS: Final = 50_000
"""At two kilobytes each at most; points beyond are not remembered."""
STALE_US: Final = 600_000_000
"""An enterprise that was silent for ten minutes, or went to another replica, gives way."""

Reading = tuple[int, float]
"""When, in Unix µs, and how much."""


class Recent:
    """The last readings of points that have limits. An array a point holds moments and values in turn."""

    def __init__(self, most_points: int = MOST_POINTS) -> None:
        self._kept: dict[str, dict[str, array[float]]] = {}
        self._heard: dict[str, int] = {}  # by enterprise, the one heard longest ago first
        self._most, self._size = most_points, 0

    def hear(self, enterprise: str, limits: Mapping[str, Limits], frame: FrameData) -> None:
        """Remembers a frame's good readings; one that is not newer than its point's last is known already."""
        own = self._kept.setdefault(enterprise, {})
        newest = max(frame.times, default=0)
        self._heard[enterprise] = max(self._heard.pop(enterprise, 0), newest)
        for point, at, value, good in zip(frame.points, frame.times, frame.values, frame.good, strict=True):
            if value is None or not good:
                continue
            line = own.get(point)
            if line is None:
                bounds = limits.get(point)
                if bounds is not None and not bounds.are_none and self._has_room(newest):
                    own[point] = array("d", (at, value))
                    self._size += 1
            elif at > line[-2]:
                line.append(at)
                line.append(value)
                if len(line) > 4 * SHOWN:
                    del line[: 2 * SHOWN]

    def until(self, enterprise: str, point: str, at: int, frame: FrameData) -> list[Reading]:
        """The point's last readings up to a moment, those of the frame that is being judged among them."""
        line = self._kept.get(enterprise, {}).get(point, ())
        known = {int(line[i]): line[i + 1] for i in range(0, len(line), 2)}
        for each, then, value, good in zip(frame.points, frame.times, frame.values, frame.good, strict=True):
            if each == point and value is not None and good:
                known[then] = value
        return sorted(reading for reading in known.items() if reading[0] <= at)[-SHOWN:]

    def _has_room(self, now: int) -> bool:
        if self._size < self._most:
            return True
        eldest = next(iter(self._heard))
        if self._heard[eldest] > now - STALE_US:
            return False
        del self._heard[eldest]
        self._size -= len(self._kept.pop(eldest))
        return True
