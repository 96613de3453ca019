"""What enterprises push: drawn by chance, never the same identity twice, some of it wrong on purpose."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sin
from typing import Any, Final

LEVELS: Final = ("red", "orange", "yellow", "blue")
SIZES: Final = ((1, 1, 5), (2, 10, 3), (20, 60, 2), (100, 200, 1))
"""Batches from so many events to so many, and how often."""
BAD: Final[tuple[dict[str, Any], ...]] = (
    {"level": "purple"},
    {"point": "nowhere"},
    {"value": "hot"},
    {"colour": "red"},
)
Item = dict[str, Any]


def now() -> str:
    """RFC 3339, as an enterprise writes it."""
    return datetime.now(UTC).isoformat()  # noqa: TID251 (an enterprise has a clock)


@dataclass
class Maker:
    """The events of one enterprise; `made` names them."""

    name: str
    points: tuple[str, ...]
    chance: random.Random
    hazards: float = 0.08
    heartbeats: float = 0.01
    made: int = 0

    def batch(self) -> list[Item]:
        """Good events, of mixed size."""
        least, most, _ = self.chance.choices(SIZES, [often for *_, often in SIZES])[0]
        return [self.item() for _ in range(self.chance.randint(least, most))]

    def item(self) -> Item:
        """A good event that was never pushed."""
        self.made += 1
        turn = self.chance.random()
        if turn < self.hazards:
            return self._event("hazard", f"h-{self.made}", {"title": f"第{self.made}号隐患", "category": "equipment"})
        if turn < self.hazards + self.heartbeats:
            return self._event("heartbeat", f"b-{self.made}", {"interval_s": 60})
        data = {
            "point": self.chance.choice(self.points),
            "level": self.chance.choice(LEVELS),
            "state": "raised" if self.chance.random() < 0.65 else "cleared",
            "value": round(self.chance.uniform(0, 200), 2),
        }
        return self._event("alarm", f"a-{self.made}", data)

    def bad(self) -> Item:
        """An event that no door takes."""
        data = {"point": self.points[0], "level": "red", "state": "raised"} | self.chance.choice(BAD)
        return self._event("alarm", f"bad-{self.chance.getrandbits(48)}", data)

    def _event(self, kind: str, pushed: str, data: Item) -> Item:
        return {
            "specversion": "1.0",
            "id": pushed,
            "source": f"//{self.name}/dcs",
            "type": f"fengsui.{kind}.v1",
            "time": now(),
            "data": data,
        }


@dataclass
class Saw:
    """Readings of one enterprise's measured points, whose waves cross their limits again and again.

    Their time is the enterprise's own, hours ago, so that a door whose clock is set back takes them too."""

    points: tuple[str, ...]
    chance: random.Random
    start: datetime
    step: timedelta = timedelta(milliseconds=100)
    frames: int = field(default=0)

    def frame(self) -> dict[str, Any]:
        """The next frame, newer than all before it."""
        self.frames += 1
        values = [
            round(50 + 60 * sin(self.frames / (7 + 2 * place)) + self.chance.uniform(-3, 3), 3)
            for place, _ in enumerate(self.points)
        ]
        return {"time": (self.start + self.frames * self.step).isoformat(), "points": self.points, "values": values}
