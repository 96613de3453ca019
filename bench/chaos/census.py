"""What each process holds, in memory, descriptors and connections, at two moments."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

from bench.chaos.platform import Platform

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """One process and its children."""

    memory_mib: int
    descriptors: int
    connections: int
    processes: int


def census(platform: Platform) -> dict[str, dict[str, Any]]:
    """By name; whoever is not there now is left out."""
    found: dict[str, psutil.Process | None] = {name: r.process for name, r in sorted(platform.replicas.items())}
    found |= {name: server.process(platform.home) for name, server in platform.servers.items()}
    counted: dict[str, dict[str, Any]] = {}
    for name, process in found.items():
        with suppress(psutil.Error):
            if process is not None:
                held = _held(process)
                counted[name] = {field: getattr(held, field) for field in Held.__dataclass_fields__}
    return counted


def _held(process: psutil.Process) -> Held:
    memory = descriptors = connections = count = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            memory += each.memory_full_info().pss  # what processes share is counted once
            descriptors += each.num_fds()
            connections += sum(line.status == psutil.CONN_ESTABLISHED for line in each.net_connections("tcp"))
            count += 1
    return Held(memory // MIB, descriptors, connections, count)
