"""What each process of the system uses: CPU seconds between two moments, memory at one."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from bench.speed.system import System

BACKENDS = "SELECT pid, application_name FROM pg_stat_activity WHERE backend_type = 'client backend'"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    """CPU seconds so far, by process, and of PostgreSQL also by what its sessions are called."""

    processes: Mapping[str, float]
    sessions: Mapping[str, float]


async def snapshot(system: System) -> Snapshot:
    """How much was used until now."""
    used = {name: _cpu(pid) for name, pid in system.pids().items()}
    sessions: dict[str, float] = {}
    for row in await system.db.fetch(BACKENDS):
        with suppress(psutil.Error):
            name = row["application_name"] or "bench"
            sessions[name] = sessions.get(name, 0.0) + _own(psutil.Process(row["pid"]))
    return Snapshot(used, sessions)


def between(before: Snapshot, after: Snapshot, per: int) -> dict[str, dict[str, float]]:
    """CPU seconds per 1,000 of what was done, largest first."""

    def cost(old: Mapping[str, float], new: Mapping[str, float]) -> dict[str, float]:
        spent = {name: round(1000 * (used - old.get(name, 0.0)) / per, 3) for name, used in new.items()}
        return dict(sorted(((n, s) for n, s in spent.items() if s > 0), key=lambda item: -item[1]))

    return {
        "processes": cost(before.processes, after.processes),
        "sessions": cost(before.sessions, after.sessions),
    }


def pace() -> float:
    """Millions of additions a second of one core: where a machine is shared, its speed changes within a run."""
    count, total = 3_000_000, 0
    began = time.perf_counter()
    for number in range(count):
        total += number
    return round(count / (time.perf_counter() - began) / 1e6, 1)


async def at_rest(system: System, seconds: float) -> dict[str, float]:
    """CPU milliseconds a second of each process while nothing is pushed."""
    before = await snapshot(system)
    await asyncio.sleep(seconds)
    spent = between(before, await snapshot(system), 1)["processes"]
    return {name: round(cost / seconds, 1) for name, cost in spent.items()}


def memory(system: System) -> dict[str, dict[str, float]]:
    """MiB by process, a server with its children: USS is its own, PSS its share of what is shared too, RSS all."""
    found = {}
    for name, pid in system.pids().items():
        sums = {"uss": 0.0, "pss": 0.0, "rss": 0.0}
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                info = process.memory_full_info()
                for kind in sums:
                    sums[kind] += getattr(info, kind) / MIB
        found[name] = {kind: round(value, 1) for kind, value in sums.items()}
    return found


def _cpu(pid: int) -> float:
    """Of a process and all its children, ended ones included."""
    first = psutil.Process(pid)
    ended = first.cpu_times()
    total = ended.children_user + ended.children_system
    for process in (first, *first.children(recursive=True)):
        with suppress(psutil.Error):
            total += _own(process)
    return float(total)


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
