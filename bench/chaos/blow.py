"""What a fault has to work with, and the means that several faults share."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import asyncpg

from bench.chaos.platform import Platform
from bench.chaos.replica import Replica

PAUSES_S: Final = (5.0, 10.0, 20.0, 40.0, 60.0)


class NotHere(Exception):
    """The fault cannot be injected on this machine; the sentence says why."""


@dataclass
class Blow:
    """What a fault has to work with; `longest_s` bounds how long it lasts."""

    platform: Platform
    chance: random.Random
    longest_s: float
    aim: str = ""
    """Only this service, or this fault point; empty: any."""

    def pause_s(self) -> float:
        """How long, of those that are not too long."""
        return self.chance.choice([each for each in PAUSES_S if each <= self.longest_s] or [self.longest_s])

    def replica(self) -> Replica:
        """A replica that runs now."""
        found = [r for _, r in sorted(self.platform.replicas.items()) if r.alive and self.aim in ("", r.service)]
        return self.chance.choice(found)


Inject = Callable[[Blow], Awaitable[str]]


async def frozen(pids: list[int], pause_s: float) -> None:
    """SIGSTOP, and SIGCONT after so long."""
    try:
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        await asyncio.sleep(pause_s)
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


async def met(wanted: Callable[[], bool], timeout: float) -> bool:
    """Waits until it is so, and whether it was in time."""
    for _ in range(int(timeout * 10)):
        if wanted():
            return True
        await asyncio.sleep(0.1)
    return wanted()


async def ask(blow: Blow, query: str, *values: object) -> list[asyncpg.Record]:
    """Rows, as the superuser sees them."""
    db = await asyncpg.connect(blow.platform.admin_dsn, timeout=10)
    try:
        return list(await db.fetch(query, *values, timeout=20))
    finally:
        await db.close(timeout=5)
