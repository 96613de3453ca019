"""(g): what an alarm costs when 10^3, 10^5 and 10^6 cases are in the ledger, with all that came of them."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from bench.speed.load import Enterprise
from bench.speed.province import emptied, settled
from bench.speed.system import System
from bench.speed.throughput import BATCH, alarms
from shared.statements import statements

_SQL: Final = statements("bench.speed")
FILLS: Final = (_SQL["fill_hazards"], _SQL["fill_notify"], _SQL["fill_reporting"])
CHUNK: Final = 100_000


async def growing(
    system: System, pushers: Sequence[Enterprise], sizes: Sequence[int], count: int
) -> list[dict[str, Any]]:
    """The same push at each size of the ledger."""
    await emptied(system)
    found, filled = [], 0
    for size in sizes:
        await fill(system, filled + 1, size)
        filled = size
        await settled(system)
        measured = await alarms(system, pushers, f"ledger{size}", count, BATCH)
        found.append({"cases": size} | measured)
        await _forget(system, f"//bench/ledger{size}")
    await emptied(system)
    return found


async def fill(system: System, first: int, last: int) -> None:
    """Adds the cases `first` to `last`, with their traces in every service."""

    async def one(statement: str) -> None:
        db = await asyncpg.connect(system.admin_dsn, server_settings={"synchronous_commit": "off"})
        try:
            for start in range(first, last + 1, CHUNK):
                await db.execute(statement, start, min(last, start + CHUNK - 1))
        finally:
            await db.close()

    await asyncio.gather(*map(one, FILLS))
    await system.db.execute("VACUUM ANALYZE")
    await system.db.execute("CHECKPOINT")


async def _forget(system: System, source: str) -> None:
    """The points of one run are pushed to again in the next one."""
    await settled(system)
    for statement in (_SQL["close_cases"], _SQL["forget_alarms"]):
        await system.db.execute(statement, source)
