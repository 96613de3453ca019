"""Rows that fell due are dealt with together, and one that fails for good holds up no other."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from shared import telemetry
from shared.apart import apart
from shared.database import Connection
from shared.errors import told
from shared.statements import statements

_SQL = statements("shared")
POSTPONE = _SQL["postpone_stuck"]
FORGET = _SQL["forget_stuck"]
COUNT = _SQL["count_stuck"]

Rows = Sequence[asyncpg.Record]


@dataclass(frozen=True)
class Due:
    """A timer's step. `take` claims up to so many rows, none that is stuck; `deal` turns them into values and acts.

    A row whose step fails by its own fault is stuck: it waits longer each time, up to a minute, and runs by itself
    once a release mends it. Whatever else fails passes, or is the schema's fault, and the whole pass waits."""

    timer: str
    take: Callable[[Connection, int], Awaitable[Rows]]
    key: Callable[[asyncpg.Record], str]
    deal: Callable[[Connection, Rows], Awaitable[None]]
    batch: int = 100

    async def __call__(self, db: Connection) -> int:
        rows = await self.take(db, self.batch)
        if not rows:
            return 0
        _, failed = await apart(db, rows, self.deal)
        stuck = {self.key(row): error for row, error in failed}
        await db.execute(FORGET, self.timer, [key for row in rows if (key := self.key(row)) not in stuck])
        if stuck:
            await db.execute(POSTPONE, self.timer, list(stuck), [told(error) for error in stuck.values()])
        for key, error in stuck.items():
            telemetry.log.error("row_stuck", timer=self.timer, key=key, error=told(error), exc_info=error)
        return len(rows) - len(stuck)


async def count_stuck(db: Connection) -> dict[str, int]:
    """How many rows of each timer are stuck."""
    return {row["timer"]: row["stuck"] for row in await db.fetch(COUNT)}
