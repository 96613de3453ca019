"""How far the system has come with what was pushed: each stage's positions, read until all of it is through."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.speed.system import System
from shared.statements import statements

PROGRESS: Final = statements("bench.speed")["progress"]
STAGES: Final = ("cases", "notifications", "alarm_facts", "case_facts")
LOOK_S: Final = 0.05
STUCK_S: Final = 60.0
"""Without any progress; then the system is taken to have stopped."""


@dataclass(frozen=True, slots=True)
class Times:
    """When each stage had so many, in seconds from the beginning; a stage that never had them is not there."""

    reached: Mapping[str, float]
    progress: Mapping[str, int]

    def rates(self, count: int) -> dict[str, float]:
        """How many a second each stage did, from the beginning until all were through."""
        return {stage: round(count / seconds, 1) for stage, seconds in self.reached.items() if seconds > 0}


async def positions(system: System) -> dict[str, int]:
    """How far each stage has committed."""
    row = await system.db.fetchrow(PROGRESS)
    assert row is not None
    return dict(row)


async def delivered(system: System) -> int:
    """How many distinct alarms the receiving webhook was told of since it was last read."""
    async with system.session.get(f"http://127.0.0.1:{system.webhook_port}/count") as answer:
        return int(await answer.text())


async def told(system: System) -> dict[str, list[float]]:
    """When the webhook was told of each alarm; forgotten there."""
    async with system.session.get(f"http://127.0.0.1:{system.webhook_port}/times") as answer:
        found: dict[str, list[float]] = await answer.json(content_type=None)
        return found


async def watch(
    look: Callable[[], Awaitable[Mapping[str, int]]], before: Mapping[str, int], count: int, began: float
) -> Times:
    """Looks until every stage has come `count` further; `began` is on the wall's clock."""
    reached: dict[str, float] = {}
    progress: dict[str, int] = {}
    moved_at = time.monotonic()
    while len(reached) < len(before) and time.monotonic() - moved_at < STUCK_S:
        now = {stage: at - before[stage] for stage, at in (await look()).items() if stage in before}
        seconds = time.time() - began
        for stage, done in now.items():
            if done >= count:
                reached.setdefault(stage, seconds)
        if now != progress:
            progress, moved_at = now, time.monotonic()
        await asyncio.sleep(LOOK_S)
    return Times(reached, progress)


def alarms_through(system: System) -> Callable[[], Awaitable[dict[str, int]]]:
    """What an alarm goes through: case, notification, facts, and the call of a webhook."""

    async def look() -> dict[str, int]:
        found = await positions(system)
        return {stage: found[stage] for stage in STAGES} | {"delivered": await delivered(system)}

    return look
