"""When a page is woken: soon after a change, rarely while changes go on, and once more when they have settled."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SOON_S: Final = 0.3
EVERY_S: Final = 2.0
SETTLED_S: Final = 1.5
"""The service that keeps what changed may commit it after we heard of it; the last wake comes this long after."""


@dataclass(slots=True)
class Pace:
    """What one page has still to be told; times are seconds of one steady clock."""

    heard: dict[str, float] = field(default_factory=dict)
    """Topics with the time when they were last heard of."""
    since: float = 0.0
    told: float = float("-inf")

    def begin(self, topics: Iterable[str], now: float) -> None:
        """The page listens from now on; what changed after it was made, unheard, it is told when that has settled."""
        for topic in topics:
            self.hear(topic, now)
        self.told = now + SETTLED_S - EVERY_S

    def hear(self, topic: str, now: float) -> None:
        """Something of the topic changed."""
        if not self.heard:
            self.since = now
        self.heard[topic] = now

    def due(self) -> float | None:
        """When the page is to be woken next; None while there is nothing to tell."""
        return max(self.since + SOON_S, self.told + EVERY_S) if self.heard else None

    def take(self, now: float) -> tuple[str, ...]:
        """The topics to wake it with now, if it is due; what has not settled stays to be told again."""
        due = self.due()
        if due is None or now < due:
            return ()
        topics = tuple(sorted(self.heard))
        self.told = now
        self.heard = {topic: at for topic, at in self.heard.items() if now - at < SETTLED_S}
        return topics
