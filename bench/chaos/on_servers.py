"""Faults of Kafka, PostgreSQL and their disk."""

import asyncio
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from bench.chaos.blow import Blow, ask, frozen
from shared.statements import statements

_SQL: Final = statements("bench.chaos")
SESSIONS: Final = _SQL["sessions"]
CUT_HALF: Final = _SQL["cut_half"]
AWAY_S: Final = (2.0, 90.0)
MIB: Final = 1024 * 1024
NEARLY_FULL: Final = 64 * MIB


async def stop_broker(blow: Blow) -> str:
    """SIGSTOP and SIGCONT of the broker."""
    pause = blow.pause_s()
    process = blow.platform.servers["kafka"].process(blow.platform.home)
    if process is None:
        return "the broker was away"
    await frozen([process.pid], pause)
    return f"for {pause:.0f} s"


async def stop_backend(blow: Blow) -> str:
    """SIGSTOP and SIGCONT of PostgreSQL backends that work for us."""
    rows = await ask(blow, SESSIONS)
    chosen = blow.chance.sample(rows, min(len(rows), blow.chance.randint(1, 3)))
    pause = blow.pause_s()
    await frozen([row["pid"] for row in chosen], pause)
    return f"{', '.join(row['application_name'] for row in chosen)} for {pause:.0f} s"


async def cut_backends(blow: Blow) -> str:
    """pg_terminate_backend of about half the sessions."""
    rows = await ask(blow, CUT_HALF, blow.chance.randint(0, 1000))
    return f"{len(rows)} sessions"


async def broker_away(blow: Blow) -> str:
    """The broker dies, or is told to end, and stays away."""
    number = blow.chance.choice((signal.SIGKILL, signal.SIGTERM))
    away = blow.chance.choice([each for each in AWAY_S if each <= max(2.0, blow.longest_s * 1.5)])
    await blow.platform.strike("kafka", number, away)
    return f"{number.name}, away {away:.0f} s"


async def postgres_away(blow: Blow) -> str:
    """Shutdown -m fast or -m immediate, or SIGKILL of one backend, after which PostgreSQL ends all and recovers."""
    number = blow.chance.choice((signal.SIGINT, signal.SIGQUIT, signal.SIGKILL))
    if number is signal.SIGKILL:
        row = blow.chance.choice(await ask(blow, SESSIONS))
        os.kill(row["pid"], number)
        blow.platform.kills += 1
        return f"SIGKILL of a backend of {row['application_name']}"
    away = blow.chance.choice((0.0, 10.0))
    await blow.platform.strike("postgres", number, away)
    return f"{number.name}, away {away:.0f} s"


async def disk_full(blow: Blow) -> str:
    """The disk of the home is filled to the last byte, or where that would hurt others, files may grow no more."""
    if not blow.platform.small_disk:
        return await _files_may_not_grow(blow)
    filler = blow.platform.home / "filler"
    try:
        await asyncio.to_thread(_fill, filler, NEARLY_FULL)  # now the doors must refuse
        await asyncio.sleep(8)
        await asyncio.to_thread(_fill, filler, 0)
        await asyncio.sleep(min(15.0, blow.longest_s))
    finally:
        filler.unlink(missing_ok=True)
    return f"{NEARLY_FULL // MIB} MiB left, then none"


def _fill(file: Path, left: int) -> None:
    with file.open("ab") as out, suppress(OSError):
        if (size := shutil.disk_usage(file.parent).free - left) > 0:
            os.posix_fallocate(out.fileno(), out.tell(), size)


async def _files_may_not_grow(blow: Blow) -> str:
    """RLIMIT_FSIZE: every write of a server past a length fails, as on a full disk."""
    name = blow.chance.choice(("kafka", "postgres"))
    server, room = blow.platform.servers[name], blow.chance.choice((16, 64, 1024)) * 1024
    lives = server.lives
    bounded = await asyncio.to_thread(_bound, server.process(blow.platform.home), room)
    try:
        await asyncio.sleep(min(15.0, blow.longest_s))
    finally:
        await asyncio.to_thread(_bound, server.process(blow.platform.home), psutil.RLIM_INFINITY)
    died = ", and it died of it" if server.lives > lives else ""
    return f"{name}: {bounded} processes may write to {room // 1024} KiB{died}"


def _bound(process: psutil.Process | None, room: int) -> int:
    """Each by the user that it runs as: not even root may bound another's process everywhere."""
    bounded, most = 0, "unlimited" if room == psutil.RLIM_INFINITY else room
    for each in [process, *process.children(recursive=True)] if process else []:
        with suppress(psutil.NoSuchProcess):
            command = ["prlimit", "--pid", str(each.pid), f"--fsize={most}:unlimited"]
            its = {"user": each.uids().real, "group": each.gids().real}
            bounded += subprocess.run(command, **its, capture_output=True, check=False).returncode == 0
    return bounded
