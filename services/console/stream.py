"""Who has a page open, and what of their sight has changed: wakes are counted, contents never pass through here."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from services.console.domain.pacing import Pace
from shared.access import Staff
from shared.live import Change, Ear
from shared.topics import ALARMS, CASES, NOTIFICATIONS, REGISTRY, Topic

TOPICS: Final[tuple[Topic, ...]] = (ALARMS, CASES, NOTIFICATIONS, REGISTRY)


@dataclass(eq=False, slots=True)
class Page:
    """One open page, stirred when there is something to look at."""

    staff: Staff
    pace: Pace = field(default_factory=Pace)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)


class Wakes:
    """Every open page of this process."""

    def __init__(self, bootstrap: str) -> None:
        self._pages: set[Page] = set()
        self.ear = Ear(bootstrap, TOPICS, self.hear, self.turn)

    @property
    def open(self) -> int:
        """How many pages listen."""
        return len(self._pages)

    @contextmanager
    def page(self, staff: Staff) -> Iterator[Page]:
        """A page for as long as it is open."""
        page = Page(staff)
        page.pace.begin((topic.name for topic in TOPICS), time.monotonic())
        self._pages.add(page)
        try:
            yield page
        finally:
            self._pages.discard(page)

    def hear(self, changes: set[Change]) -> None:
        """Tells those who see what changed."""
        now = time.monotonic()
        for page in self._pages:
            sees = page.staff.sees
            if topics := {each.topic for each in changes if not each.region or sees(each.region, each.enterprise)}:
                if not page.pace.heard:
                    page.stirred.set()
                for topic in topics:
                    page.pace.hear(topic, now)

    def turn(self, hears: bool) -> None:
        """The bus was lost, or is there again: then anything may have changed meanwhile."""
        if hears:
            self.hear({Change(topic.name) for topic in TOPICS})
        for page in self._pages:
            page.stirred.set()
