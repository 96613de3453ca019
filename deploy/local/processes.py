"""A child is known by pid and birth, so that no stranger is ever taken or signalled in its place."""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil

from deploy.local.probes import SILENT, Probe
from deploy.refusal import Refusal

LOG_BYTES = 16 * 1024 * 1024  # a log that has grown beyond is set aside at the next start
TELLING = ("FATAL", "PANIC", "ERROR", "Error", "Exception", "fengsui:")
STOPPING = {"postgres": (signal.SIGINT, 30.0), "kafka": (signal.SIGTERM, 30.0)}  # SIGINT is the fast shutdown

NOT_READY = "{name} was not ready after {seconds:.0f} s: {reason} (see {log})"
ENDED = "{name} ended before it was ready: {words} (see {log})"


@dataclass(frozen=True, slots=True)
class Child:
    """One process of the stack, with all that decides whether a running one still fits."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    port: int | None = None
    probe: Probe | None = None
    """None where being alive is all that can be asked."""
    user: str | None = None
    output: str | None = None
    """The file in HOME/log for standard output, where NAME.log is written by the child itself."""
    passing: tuple[str, ...] = ()
    """Signs in its last words that it was only started too early."""

    @property
    def fit(self) -> str:
        """A digest of command, port and settings: these hold passwords, so nothing but a digest is kept."""
        settings = sorted(pair for pair in self.env.items() if pair[0].startswith("FENGSUI_"))
        return hashlib.sha256(repr((self.argv, self.port, settings)).encode()).hexdigest()

    def logs(self, home: Path) -> list[Path]:
        return [home / "log" / name for name in (self.output, f"{self.name}.log") if name]


@dataclass(frozen=True, slots=True)
class Record:
    """What HOME/run/NAME.json says of a child that was started once."""

    name: str
    pid: int
    create_time: float
    port: int | None
    cmd: list[str]
    fit: str

    def process(self) -> psutil.Process | None:
        """The recorded process while it lives; another one that got its pid is a stranger."""
        try:
            process = psutil.Process(self.pid)
            born = abs(process.create_time() - self.create_time) < 1.0
            same = born and process.cmdline() in (self.cmd, [])  # for a moment after its start Linux shows none
            return process if same and not gone(process) else None
        except psutil.Error:
            return None


def recorded(home: Path, name: str) -> Record | None:
    try:
        return Record(**orjson.loads((home / "run" / f"{name}.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def all_recorded(home: Path) -> list[Record]:
    found = (recorded(home, file.stem) for file in sorted((home / "run").glob("*.json")))
    return [record for record in found if record]


def gone(process: psutil.Process) -> bool:
    """Dead, reaped or not; a child of our own is reaped by asking."""
    if isinstance(process, psutil.Popen):
        return process.poll() is not None
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def held(process: psutil.Process) -> bool:
    """Whether SIGSTOP or a debugger holds it."""
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False


def spawn(child: Child, home: Path) -> psutil.Process:
    """Starts it in a session of its own, its words in HOME/log, and records it under HOME/run."""
    output, *_ = child.logs(home)
    output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    set_aside(output)
    as_user: dict[str, Any] = {"user": child.user, "group": child.user, "extra_groups": []} if child.user else {}
    with output.open("ab") as words:
        process = psutil.Popen(
            child.argv,
            env=dict(child.env),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            **as_user,
        )
    try:
        born = process.create_time()
        record = Record(child.name, process.pid, born, child.port, list(child.argv), child.fit)
        write(home / "run" / f"{child.name}.json", asdict(record))
    except BaseException:
        kill(process)
        process.wait()
        raise
    return process


def set_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def write(file: Path, content: object) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.write_bytes(orjson.dumps(content))
    half.replace(file)


def marks(child: Child, home: Path) -> dict[Path, int]:
    """How far each of its logs has got."""
    return {log: log.stat().st_size if log.exists() else 0 for log in child.logs(home)}


def last_words(since: Mapping[Path, int]) -> str:
    """The line written since then that most likely says why it ended."""
    lines: list[str] = []
    for log, start in since.items():
        if log.exists():
            with log.open("rb") as stream:
                size = log.stat().st_size
                stream.seek(max(start if start <= size else 0, size - 65536))
                lines += stream.read().decode(errors="replace").splitlines()
    lines = [line.strip() for line in lines if line.strip()] or ["it said nothing"]
    telling = [line for line in lines if any(sign in line for sign in TELLING) and not line.startswith("Caused by")]
    return (telling or lines)[-1][:400]


def too_early(child: Child, words: str) -> bool:
    return any(sign in words for sign in child.passing)


def stop(process: psutil.Process, name: str) -> None:
    """Asks it to end, and ends it when it does not; one held by SIGSTOP is let go, or it could not hear."""
    asked, grace = STOPPING.get(name, (signal.SIGTERM, 10.0))
    try:
        process.send_signal(asked)
        process.send_signal(signal.SIGCONT)
    except psutil.NoSuchProcess:
        return
    if not has_ended(process, grace):
        kill(process)
        has_ended(process, 5.0)


def has_ended(process: psutil.Process, seconds: float) -> bool:
    """Waits so long for it, if it must."""
    until = time.monotonic() + seconds
    while not (over := gone(process)) and time.monotonic() < until:
        time.sleep(0.05)
    return over


def kill(process: psutil.Process) -> None:
    """Ends it and all that it has started."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()


def start(child: Child, home: Path, timeout: float = 60.0) -> psutil.Process:
    """Starts one child and waits until it is ready; what was only too early is started again."""
    until = time.monotonic() + timeout
    while True:
        since = marks(child, home)
        process, reason = spawn(child, home), SILENT
        while not gone(process) and time.monotonic() < until:
            answer = child.probe.ask(1.0) if child.probe else None
            if answer is None:
                return process
            reason = answer
            time.sleep(0.05)
        log = child.logs(home)[-1]
        if not gone(process):
            stop(process, child.name)
            raise Refusal(NOT_READY.format(name=child.name, seconds=timeout, reason=reason, log=log))
        words = last_words(since)
        if not too_early(child, words) or time.monotonic() > until:
            raise Refusal(ENDED.format(name=child.name, words=words, log=log))
        time.sleep(0.5)


def inherited() -> dict[str, str]:
    """The few variables that a server which is not ours may see."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
