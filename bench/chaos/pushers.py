"""Enterprises that keep what they push until it is acknowledged, and then write down that it was."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import aiohttp
import orjson

from bench.chaos.events import Item, Maker, Saw
from bench.chaos.world import Enterprise

MANY: Final = "application/cloudevents-batch+json"
PATIENCE_S: Final = 15.0
FRAMES_S: Final = 0.4
ARREARS_S: Final = 60.0
"""So much of what it could not push in time an enterprise pushes afterwards, on top of what is new."""
PASSING: Final = frozenset({429, 503, 401, 500, 502})
"""What may be answered while things break: each is sent again. A 401 or 500 is counted, for it says too much."""


@dataclass
class Log:
    """What was acknowledged, a line each; nothing of it is kept in memory."""

    folder: Path
    events: int = 0
    frames: int = 0
    unknown: int = 0
    """Pushes without an answer, or with one that says nothing of the outcome."""
    answers: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    """Answers that no fault explains."""
    _events: BinaryIO = field(init=False)
    _frames: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        self._events = self.acknowledged.open("ab")
        self._frames = self.readings.open("ab")

    @property
    def acknowledged(self) -> Path:
        """Events: `fengsui reconcile` reads it too."""
        return self.folder / "acknowledged.jsonl"

    @property
    def readings(self) -> Path:
        """Frames in the order in which each enterprise pushed them."""
        return self.folder / "readings.jsonl"

    def event(self, uscc: str, item: Item) -> None:
        """One event is acknowledged."""
        data = item["data"]
        line = {
            "source": item["source"],
            "id": item["id"],
            "enterprise": uscc,
            "type": item["type"],
            "level": data.get("level"),
            "state": data.get("state"),
        }
        self._events.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self.events += 1

    def frame(self, uscc: str, frame: Item) -> None:
        """One frame is acknowledged."""
        self._frames.write(orjson.dumps({"enterprise": uscc} | frame, option=orjson.OPT_APPEND_NEWLINE))
        self.frames += 1

    def close(self) -> None:
        """Everything is on disk."""
        self._events.close()
        self._frames.close()


@dataclass
class Pushers:
    """All that push, to either door, at a rate that they keep together while the doors let them."""

    session: aiohttp.ClientSession
    doors: Sequence[str]
    enterprises: Sequence[Enterprise]
    log: Log
    rate: float
    seed: int
    start: datetime
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until there is enough and the last event is acknowledged."""
        async with asyncio.TaskGroup() as pushing:
            for number, enterprise in enumerate(self.enterprises):
                pushing.create_task(self._push_events(enterprise, random.Random(f"{self.seed}/events/{number}")))
                pushing.create_task(self._push_frames(enterprise, random.Random(f"{self.seed}/frames/{number}")))

    async def _push_events(self, enterprise: Enterprise, chance: random.Random) -> None:
        maker = Maker(enterprise.uscc[-5:], enterprise.points, chance)
        earlier: deque[Item] = deque(maxlen=300)
        due, each_s = time.monotonic(), len(self.enterprises) / self.rate
        while not self.enough.is_set():
            good = maker.batch()
            items = list(good)
            items += [item for item in good if chance.random() < 0.03]
            items += chance.sample(earlier, min(len(earlier), chance.choice((0, 0, 1, 5))))
            items += [maker.bad() for _ in range(chance.choice((0, 0, 0, 1, 3)))]
            chance.shuffle(items)
            await self._until_taken(enterprise, items, chance)
            for item in good:
                self.log.event(enterprise.uscc, item)
            earlier.extend(good[:50])
            due = max(due + len(good) * each_s, time.monotonic() - ARREARS_S)
            await self._rest(due)

    async def _until_taken(self, enterprise: Enterprise, items: list[Item], chance: random.Random) -> None:
        """Pushes what is not taken yet again and again; bad items are for the door to refuse."""
        while items:
            status, answer = await self._post(enterprise, "/v1/events", items, MANY, chance)
            if status in (202, 422):
                items = [
                    items[refused["index"]]
                    for refused in answer["rejected"]
                    if not items[refused["index"]]["id"].startswith("bad-")
                ]
                for refused in answer["rejected"]:
                    if not refused["id"].startswith("bad-"):
                        self.log.odd[refused["code"]] += 1
            if items:
                await asyncio.sleep(chance.uniform(0.1, 1.0))

    async def _push_frames(self, enterprise: Enterprise, chance: random.Random) -> None:
        saw = Saw(enterprise.measured, chance, self.start)
        due = time.monotonic()
        while not self.enough.is_set():
            frame = saw.frame()
            status = 0
            while status != 202:
                status, _ = await self._post(enterprise, "/v1/readings", frame, "application/json", chance)
                if status != 202:
                    await asyncio.sleep(chance.uniform(0.1, 1.0))
            if chance.random() < 0.05:  # a nervous client sends it again; its outcome does not matter
                await self._post(enterprise, "/v1/readings", frame, "application/json", chance)
            self.log.frame(enterprise.uscc, frame)
            due = max(due + FRAMES_S, time.monotonic() - 5)
            await self._rest(due)

    async def _rest(self, due: float) -> None:
        if (pause := due - time.monotonic()) > 0:
            await asyncio.sleep(pause)

    async def _post(
        self, enterprise: Enterprise, path: str, body: Any, media: str, chance: random.Random
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {enterprise.key}", "Content-Type": media}
        url = chance.choice(self.doors) + path
        try:
            async with self.session.post(
                url, data=orjson.dumps(body), headers=headers, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)
            ) as response:
                status, answer = response.status, await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self.log.unknown += 1
            self.log.answers[type(error).__name__] += 1
            return 0, None
        self.log.answers[str(status)] += 1
        if status == 503:
            self.log.unknown += 1
        if status not in (202, 422, 429, 503):
            self.log.odd[f"{status} {answer.get('code')}"] += 1
        return status, answer
