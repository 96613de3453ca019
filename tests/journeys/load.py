"""Enterprises that push until each of their events is acknowledged, and remember which were."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp

from shared.events.event import event_id
from tests.stack import Stack, alarm, hazard, until

POINTS = ("P-1", "P-2", "P-3", "P-4")
LEVELS = ("red", "orange", "yellow", "blue")
PAUSE_S = 0.2
Item = dict[str, Any]


@dataclass
class Load:
    """What several enterprises push, by batches of good items, doubles and now and then an invalid one."""

    stack: Stack
    keys: Mapping[str, str]
    chance: random.Random = field(default_factory=lambda: random.Random(14))
    acknowledged: dict[UUID, Item] = field(default_factory=dict)
    made: int = 0
    unknown: int = 0
    """Pushes whose outcome was unknown, and that were sent again."""
    enough: bool = False

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """Pushes for as long as the context lasts, and then until the last event is acknowledged."""
        self.enough = False
        pushing = [asyncio.create_task(self._push_all(uscc)) for uscc in self.keys]
        try:
            yield
        finally:
            self.enough = True
            async with asyncio.timeout(60):
                await asyncio.gather(*pushing)

    async def goes_on(self, count: int = 40) -> None:
        """Waits until so many more events are acknowledged."""
        wanted = len(self.acknowledged) + count

        async def known() -> int:
            return len(self.acknowledged)

        await until(known, lambda have: have >= wanted, 60)

    async def _push_all(self, uscc: str) -> None:
        while not self.enough:
            good = [self._item() for _ in range(self.chance.randint(1, 8))]
            doubled = [item for item in good if self.chance.random() < 0.1]
            bad = [alarm(f"bad-{self.made}", "P-1", "purple")] if self.chance.random() < 0.2 else []
            earlier = self._earlier(uscc)
            await self._until_acknowledged(uscc, good + doubled + earlier + bad, len(bad))
            self.acknowledged |= {event_id(uscc, item["source"], item["id"]): item for item in good}
            await asyncio.sleep(PAUSE_S)

    def _earlier(self, uscc: str) -> list[Item]:
        """Perhaps an event that was acknowledged before, as a nervous client sends it."""
        known = [item for name, item in self.acknowledged.items() if name == event_id(uscc, item["source"], item["id"])]
        return [self.chance.choice(known)] if known and self.chance.random() < 0.2 else []

    def _item(self) -> Item:
        self.made += 1
        if self.chance.random() < 0.3:
            return hazard(f"h-{self.made}", f"第 {self.made} 号隐患")
        state = "raised" if self.chance.random() < 0.7 else "cleared"
        return alarm(f"a-{self.made}", self.chance.choice(POINTS), self.chance.choice(LEVELS), state)

    async def _until_acknowledged(self, uscc: str, items: list[Item], bad: int) -> None:
        while True:
            try:
                status, answer = await self.stack.push(*items, key=self.keys[uscc])
            except (aiohttp.ClientError, TimeoutError):
                status, answer = 503, {}
            if status == 202:
                assert answer["accepted"] + answer["duplicates"] == len(items) - bad, answer
                assert [refused["code"] for refused in answer["rejected"]] == ["bad_level"] * bad
                return
            assert status == 503, (status, answer)
            self.unknown += 1
            await asyncio.sleep(PAUSE_S)


def opens_or_joins_a_case(item: Item) -> bool:
    """Whether the contract says that it stands on a timeline: every hazard, every serious alarm that was raised."""
    data = item["data"]
    return item["type"] == "fengsui.hazard.v1" or (data["state"] == "raised" and data["level"] in ("red", "orange"))


def is_raised(item: Item) -> bool:
    """Whether it counts as an alarm."""
    return (item["type"], item["data"].get("state")) == ("fengsui.alarm.v1", "raised")
