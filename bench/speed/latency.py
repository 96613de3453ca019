"""(e): from the moment an alarm should have been pushed to its committed case and to the call of a webhook."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from bench.speed import load
from bench.speed.load import Enterprise
from bench.speed.province import clock
from bench.speed.pushing import pusher
from bench.speed.quantiles import milliseconds
from bench.speed.stages import alarms_through, told, watch
from bench.speed.system import Failed, System
from bench.speed.usage import between, snapshot
from shared.statements import statements

COMMITTED_CASES: Final = statements("bench.speed")["committed_cases"]


async def at_load(
    system: System, pushers: Sequence[Enterprise], run: str, rate: float, seconds: float
) -> dict[str, Any]:
    """Single pushes at a fixed rate that waits for nobody: what comes late counts from when it was due."""
    count, port = int(rate * seconds), system.port("ingest")
    requests = load.single_alarms(run, count, pushers, port, clock())
    async with pusher(requests, port, rate=rate) as begin:
        look = alarms_through(system)
        before, used, began = await look(), await snapshot(system), time.time()
        push = await begin()
        answered, _ = await asyncio.gather(push.result(), watch(look, before, count, began))
        cost = between(used, await snapshot(system), count)
    due = {f"{run}-{number}": answered["began"] + number / rate for number in range(count)}
    rows = await system.db.fetch(COMMITTED_CASES, f"//bench/{run}")
    cases = {row["pushid"]: row["at"] - due[row["pushid"]] for row in rows}
    called = {name: at[0] - due[name] for name, at in (await told(system)).items() if name in due}
    if not len(cases) == len(called) == count:
        raise Failed(f"of {count} alarms {len(cases)} have a case and {len(called)} were delivered")
    return {
        "offered": rate,
        "alarms": count,
        "accepted_ms": answered["answer_ms"],
        "case_ms": milliseconds(list(cases.values())),
        "delivered_ms": milliseconds(list(called.values())),
        "cpu_s_per_1000": cost["processes"],
    }
