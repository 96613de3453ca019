"""A home has one supervisor at a time, and anyone can see who it is and how far it has got."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import orjson
import psutil

from deploy.local import processes
from deploy.local.probes import Probe
from deploy.refusal import Refusal

HELD = "{home} is held by a supervisor (pid {pid}, since {since}): `fengsui down` stops it, `fengsui status` shows it"
UNWRITABLE = "{home} cannot be written ({reason}): choose another with --home or FENGSUI_HOME"

Phase = Literal["starting", "ready", "stopping"]


@dataclass(frozen=True, slots=True)
class Part:
    """One process or server that belongs to the stack, and how to ask it."""

    name: str
    port: int | None
    probe: Probe | None


@dataclass(frozen=True, slots=True)
class State:
    """What a supervisor says of itself in HOME/run/stack.state."""

    pid: int
    phase: Phase
    port_base: int
    demo: bool
    parts: Sequence[Part] = field(default_factory=list)


def _lock_file(home: Path) -> Path:
    return home / "run" / "supervisor.lock"


def make(home: Path) -> None:
    """A home is its owner's alone; root's lets PostgreSQL's user through to its own folders."""
    home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Holds the home, or says who does; the system lets go of it however the holder ends."""
    try:
        make(home)
        _lock_file(home).parent.mkdir(exist_ok=True)
        stream = _lock_file(home).open("r+" if _lock_file(home).exists() else "w+")
    except OSError as error:
        raise Refusal(UNWRITABLE.format(home=home, reason=error.strerror)) from error
    with stream:
        if not _lock(stream.fileno()):
            raise Refusal(HELD.format(home=home, **_who(home)))
        stream.truncate()
        stream.write(f"{os.getpid()} {psutil.Process().create_time()}\n")
        stream.flush()
        yield


def _lock(descriptor: int) -> bool:
    """Tries for half a second, since whoever looks for the holder holds the file for a moment."""
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.05)
    return False


def holder(home: Path) -> psutil.Process | None:
    """The supervisor that holds the home now."""
    try:
        with _lock_file(home).open("r") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                pid, born = stream.read().split()
                process = psutil.Process(int(pid))
                return process if abs(process.create_time() - float(born)) < 1.0 else None
    except (OSError, ValueError, psutil.Error):
        pass
    return None


def is_held(home: Path) -> bool:
    return holder(home) is not None


def _who(home: Path) -> dict[str, object]:
    process = holder(home)
    if process is None:
        return {"pid": "unknown", "since": "just now"}
    since = datetime.fromtimestamp(process.create_time(), UTC).astimezone()
    return {"pid": process.pid, "since": f"{since:%Y-%m-%d %H:%M:%S}"}


def declare(home: Path, state: State) -> None:
    processes.write(home / "run" / "stack.state", asdict(state))


def declared(home: Path) -> State | None:
    """What the last supervisor said, whether or not it lives."""
    try:
        said = orjson.loads((home / "run" / "stack.state").read_bytes())
        parts = [
            Part(part["name"], part["port"], Probe(**part["probe"]) if part["probe"] else None)
            for part in said.pop("parts")
        ]
        return State(parts=parts, **said)
    except (OSError, ValueError, KeyError, TypeError):
        return None
