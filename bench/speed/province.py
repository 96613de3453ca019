"""Who pushes and who is told: enterprises with their points and keys, an officer on duty in each county."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from bench.speed.load import COUNTIES, ENTERPRISES, POINTS, Enterprise, county, uscc
from bench.speed.system import Failed, System
from shared.statements import statements

_SQL = statements("bench.speed")
ADD_POINTS, NOBODY_CLIMBS = _SQL["add_points"], _SQL["nobody_climbs"]
EMPTY, UNSETTLED = _SQL["empty"], _SQL["unsettled"]
SETTLED_S = 60.0
EMPTIED_TRIES = 5


async def settle_in(system: System, now: datetime) -> list[Enterprise]:
    """Registers all; points in the database directly, for a file of 100,000 is another measurement."""
    names = [uscc(number) for number in range(ENTERPRISES)]
    rows = [f"{code},测试企业{n},{county(n)},petrochemical" for n, code in enumerate(names)]
    await _import(system, "ingest", "enterprises", "uscc,name,region,industry", rows)
    await system.db.execute(ADD_POINTS, POINTS)
    await system.db.execute("ANALYZE")
    officers = [
        f"officer-{region},值班员,{region},officer,http://127.0.0.1:{system.webhook_port}/{region}"
        for region in COUNTIES
    ]
    await _import(system, "notify", "contacts", "contact,name,region,role,webhook", officers)
    start, end = (now - timedelta(days=1)).isoformat(), (now + timedelta(days=30)).isoformat()
    shifts = [f"bench-{region},{region},officer-{region},{start},{end},primary" for region in COUNTIES]
    await _import(system, "notify", "rosters", "roster,region,contact,start,end,position", shifts)
    await system.db.execute(NOBODY_CLIMBS)
    wanted = orjson.dumps({"enterprises": names, "name": "bench"})
    made = await system.post("ingest", "/v1/keys/batch", wanted, "application/json")
    return [Enterprise(item["enterprise"], county(n), item["key"]) for n, item in enumerate(made["items"])]


async def _import(system: System, service: str, what: str, header: str, rows: list[str]) -> None:
    await system.post(service, f"/v1/{what}/import", "\n".join([header, *rows, ""]).encode(), "text/csv")


async def settled(system: System) -> None:
    """Waits until nothing of an earlier measurement is on its way."""
    until = time.monotonic() + SETTLED_S
    while await system.db.fetchval(UNSETTLED):
        if time.monotonic() > until:
            raise Failed("the system does not come to rest")
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)


async def emptied(system: System) -> None:
    """An empty ledger, for a measurement of its own."""
    await settled(system)
    for _ in range(EMPTIED_TRIES):
        with suppress(asyncpg.DeadlockDetectedError):  # with a look at the gauges, which takes tables in its own order
            await system.db.execute(EMPTY)
            break
    else:
        raise Failed("the ledger could not be emptied beside the services' own looks at it")
    await system.db.execute("CHECKPOINT")


def clock() -> datetime:
    """The bench's own clock."""
    return datetime.fromtimestamp(time.time(), UTC)
