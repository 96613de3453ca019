"""(f): readings a second from the door through the alarm engine, as frames of 100 points."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from bench.speed import load
from bench.speed.load import FRAME, Enterprise
from bench.speed.province import clock
from bench.speed.pushing import pusher
from bench.speed.stages import positions, watch
from bench.speed.system import System
from bench.speed.usage import between, snapshot


async def over(system: System, pushers: Sequence[Enterprise], points: int, frames: int) -> dict[str, Any]:
    """So many frames over so many points, as fast as the door answers; until the engine has committed the last."""
    port = system.port("ingest")
    requests = load.frames(frames, points, pushers, port, clock().replace(microsecond=points % 999_983))

    async def look() -> dict[str, int]:
        return {"frames": (await positions(system))["frames"]}

    async with pusher(requests, port) as begin:
        before, used, began = await look(), await snapshot(system), time.time()
        push = await begin()
        answered, times = await asyncio.gather(push.result(), watch(look, before, frames, began))
        cost = between(used, await snapshot(system), frames * FRAME)
    return {
        "points": points,
        "readings": frames * FRAME,
        "rates": {
            "accepted": round(answered["accepted"] / answered["seconds"], 1),
            "engine": times.rates(frames * FRAME).get("frames"),
        },
        "statuses": answered["statuses"],
        "cpu_s_per_1000": cost["processes"],
    }
