"""Faults of our own processes: killed, frozen, come and gone, with a clock that jumps."""

import asyncio
import importlib.util
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from bench.chaos.blow import Blow, NotHere, frozen, met
from bench.chaos.platform import SERVICES

NOT_REACHED_S: Final = 25.0
ABLE_S: Final = 5.0
"""From the end of one life to the work of the next."""
CONSUMER: Final = tuple(
    f"consumer.{place}" for place in ("after_fetch", "in_transaction", "before_commit", "after_commit", "in_listener")
)
RELAY: Final = ("relay.before_send", "relay.after_ack", "relay.after_mark")
POINTS: Final = {
    "ingest": ("door.before_send", "door.before_answer", *CONSUMER, *RELAY),
    "hazards": (*CONSUMER, *RELAY, "timer.before_commit"),
    "notify": (*CONSUMER, *RELAY, "timer.before_commit", "attempt.before_call", "attempt.after_answer"),
    "reporting": CONSUMER,
}


async def kill(blow: Blow) -> str:
    """SIGKILL of a service at random."""
    replica = blow.replica()
    replica.end_life(signal.SIGKILL)
    return replica.name


async def kill_at_point(blow: Blow) -> str:
    """SIGKILL at a named fault point, in the next life of a replica."""
    service, point = _point(blow)
    replica = blow.chance.choice(blow.platform.of(service))
    nth = blow.chance.randint(1, 5)
    lives = replica.next_life({"FENGSUI_FAULTS": f"{point}=kill#{nth}"}, signal.SIGKILL)
    reached = await met(lambda: replica.lives > lives + 1, NOT_REACHED_S)
    if not reached:
        replica.end_life(signal.SIGKILL)  # back to a life without the point
    return f"{replica.name} at {point}#{nth}" + ("" if reached else ", not reached")


async def stall(blow: Blow) -> str:
    """The event loop of a replica hangs at a named fault point, in its next life."""
    service, point = _point(blow)
    replica, pause, nth = blow.chance.choice(blow.platform.of(service)), blow.pause_s(), blow.chance.randint(1, 5)
    replica.next_life({"FENGSUI_FAULTS": f"{point}=sleep{pause:.0f}#{nth}"})
    await asyncio.sleep(pause + ABLE_S)
    return f"{replica.name} at {point}#{nth} for {pause:.0f} s"


async def few_descriptors(blow: Blow) -> str:
    """RLIMIT_NOFILE: a replica can open almost nothing more, neither files nor connections."""
    replica, room = blow.replica(), blow.chance.choice((0, 2, 8))
    process = replica.process
    assert process is not None
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + room, before[1]))
    try:
        await asyncio.sleep(min(20.0, blow.longest_s))
    finally:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_NOFILE, before)
    return f"{replica.name}, {room} more"


async def stop_service(blow: Blow) -> str:
    """SIGSTOP and SIGCONT of a service."""
    replica, pause = blow.replica(), blow.pause_s()
    assert replica.process is not None
    await frozen([replica.process.pid], pause)
    return f"{replica.name} for {pause:.0f} s"


async def rebalance_storm(blow: Blow) -> str:
    """A third replica comes and goes every three seconds."""
    service = blow.aim if blow.aim in SERVICES else blow.chance.choice(SERVICES)
    name, rounds = f"{service}-storm", blow.chance.randint(2, 5)
    try:
        for _ in range(rounds):
            blow.platform.add(service, name)
            await asyncio.sleep(3)
            await blow.platform.remove(name, blow.chance.choice((signal.SIGTERM, signal.SIGKILL)))
            await asyncio.sleep(3)
    finally:
        if name in blow.platform.replicas:
            await blow.platform.remove(name)
    return f"{service}, {rounds} times"


async def clock_step(blow: Blow) -> str:
    """The clock of one replica jumps by hours, and back again, while it runs."""
    if (library := _faketime()) is None:
        raise NotHere("the wheel libfaketime holds no library for this machine")
    replica, step = blow.replica(), blow.chance.choice(("+2h", "-2h", "+10m", "-10m"))
    clock = blow.platform.home / "run" / f"{replica.name}.clock"
    clock.write_text("+0")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    lives = replica.next_life(faked)
    try:
        await met(lambda: replica.lives > lives, 20)
        await asyncio.sleep(8)
        clock.write_text(step)
        await asyncio.sleep(min(20.0, blow.longest_s))
        clock.write_text("+0")
        await asyncio.sleep(3)
    finally:
        if replica.lives == lives + 1:
            replica.end_life()
    return f"{replica.name} by {step}"


def _point(blow: Blow) -> tuple[str, str]:
    return blow.chance.choice([(s, p) for s in SERVICES for p in POINTS[s] if not blow.aim or blow.aim in (s, p)])


def _faketime() -> Path | None:
    spec = importlib.util.find_spec("libfaketime")
    for place in spec.submodule_search_locations or () if spec else ():
        library = Path(place) / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
        if library.exists():
            return library
    return None
