"""(a) to (d): alarms a second from the door to the case, the notification, the called webhook and the statistics."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from bench.speed import load
from bench.speed.load import Enterprise
from bench.speed.province import clock
from bench.speed.pushing import pusher
from bench.speed.stages import alarms_through, told, watch
from bench.speed.system import Failed, System
from bench.speed.usage import between, snapshot
from shared.statements import statements

COUNTED: Final = statements("bench.speed")["counted"]
BATCH: Final = 100


async def alarms(system: System, pushers: Sequence[Enterprise], run: str, count: int, batch: int) -> dict[str, Any]:
    """So many distinct red alarms, as fast as the door answers; a stage's rate is from the first push to its last."""
    port, now = system.port("ingest"), clock()
    requests = (
        load.single_alarms(run, count, pushers, port, now)
        if batch == 1
        else load.batched_alarms(run, count, batch, pushers, port, now)
    )
    async with pusher(requests, port) as begin:
        look = alarms_through(system)
        before, used = await look(), await snapshot(system)
        began = time.time()
        push = await begin()
        answered, times = await asyncio.gather(push.result(), watch(look, before, count, began))
        cost = between(used, await snapshot(system), count)
    if answered["accepted"] != count:
        raise Failed(f"{answered['accepted']} of {count} alarms were accepted: {answered['statuses']}")
    rates = times.rates(count)
    facts = [rates[stage] for stage in ("alarm_facts", "case_facts") if stage in rates]
    return {
        "alarms": count,
        "batch": batch,
        "rates": {
            "accepted": round(count / answered["seconds"], 1),
            "case": rates.get("cases"),
            "notification": rates.get("notifications"),
            "delivered": rates.get("delivered"),
            "statistics": min(facts) if len(facts) == 2 else None,
        },
        "answer_ms": answered["answer_ms"],
        "cpu_s_per_1000": cost,
        "pusher_cpu_s_per_1000": round(1000 * answered["pusher_cpu_s"] / count, 3),
        "proof": await prove(system, run, count),
    }


async def prove(system: System, run: str, count: int) -> dict[str, int]:
    """That each alarm became one case, one notification, one fact and one call; a fast system that errs is not fast."""
    row = await system.db.fetchrow(COUNTED, f"//bench/{run}")
    assert row is not None
    calls = {name: at for name, at in (await told(system)).items() if name.startswith(f"{run}-")}
    found = dict(row) | {"called": len(calls), "called_twice": sum(len(at) > 1 for at in calls.values())}
    found.pop("facts")
    if found != {"cases": count, "notifications": count, "called": count, "called_twice": 0}:
        raise Failed(f"of {count} alarms of {run} came {found}")
    return found
