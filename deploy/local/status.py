"""Every process of a stack, asked at the same time, answers or is said not to, within two seconds."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local import claim, processes
from deploy.local.claim import Part
from deploy.local.probes import SILENT

TIMEOUT = 1.5  # seconds
NOT_RUNNING = "is not running"
ALL = ("postgres", "kafka", "ingest", "hazards", "notify", "reporting")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    port: int | None
    pid: int | None
    ready: bool
    reason: str | None


def rows(home: Path) -> list[Row]:
    state = claim.declared(home)
    parts: Sequence[Part] = state.parts if state else [Part(name, None, None) for name in ALL]
    with ThreadPoolExecutor(len(parts) + 1) as pool:
        return [_supervisor(home, state), *pool.map(lambda part: _row(home, part), parts)]


def _supervisor(home: Path, state: claim.State | None) -> Row:
    process = claim.holder(home)
    if process is None:
        reason: str | None = NOT_RUNNING
    elif processes.held(process):
        reason = SILENT
    elif state is None or state.pid != process.pid:
        reason = "is starting"
    else:
        reason = None if state.phase == "ready" else f"is {state.phase}"
    return Row("supervisor", None, process.pid if process else None, reason is None, reason)


def _row(home: Path, part: Part) -> Row:
    record = processes.recorded(home, part.name)
    process = record.process() if record else None
    is_outside = record is None and part.probe is not None
    reason: str | None
    if process is None and not is_outside:
        reason = NOT_RUNNING
    elif process and processes.held(process):
        reason = SILENT
    else:
        reason = part.probe.ask(TIMEOUT) if part.probe else None
    return Row(part.name, part.port, process.pid if process else None, reason is None, reason)
