"""The peer Alerta: the same distinct alarms, one a request, kept in PostgreSQL by two gunicorn workers."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import psutil

from bench.speed import load
from bench.speed.load import ENTERPRISES
from bench.speed.province import clock
from bench.speed.pushing import pusher
from bench.speed.system import Failed, System

LOCK: Final = Path(__file__).parents[1] / "alerta.lock"
API_OFFSET: Final = 6
WORKERS: Final = 2
DATABASE: Final = "alerta"
READY_S: Final = 60.0


def environment(cache: Path) -> Path:
    """The folder of its own environment's programs; made once for each lock file."""
    folder = cache / f"alerta-{sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if not (folder / "made").exists():
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)],
        )
        try:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            words = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
            raise Failed(f"Alerta cannot be had: {' '.join(words)}") from None
        (folder / "made").touch()
    return folder / "bin"


async def measured(system: System, cache: Path, count: int) -> dict[str, Any]:
    """Alarms a second, which Alerta answers when they are in the database."""
    programs = await asyncio.to_thread(environment, cache)
    admin = await asyncpg.connect(system.postgres.admin_dsn)
    try:
        await admin.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await admin.close()
    port = system.base + API_OFFSET
    dsn = system.postgres.admin_dsn.rpartition("/")[0] + f"/{DATABASE}"
    settings = {"PATH": os.environ["PATH"], "DATABASE_URL": dsn, "SECRET_KEY": "bench"}
    with (system.home / "alerta.log").open("ab") as out:
        await asyncio.to_thread(_make_tables, programs, settings)
        process = psutil.Popen(
            [programs / "gunicorn", "-w", str(WORKERS), "-b", f"127.0.0.1:{port}", "alerta:create_app()"],
            env=settings, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        log = f"see {system.home}/alerta.log"
        url = f"http://127.0.0.1:{port}/alerts?page-size=1"
        await system.answers(url, f"Alerta does not become ready; {log}", time.monotonic() + READY_S)
        return {"version": _version(programs), "workers": WORKERS} | await _run(process, port, dsn, count)
    finally:
        for each in process.children(recursive=True):
            each.terminate()
        process.terminate()
        process.wait(20)


def _make_tables(programs: Path, settings: Mapping[str, str]) -> None:
    """Beforehand, for two workers that make them at once trip over each other."""
    command = [str(programs / "python"), "-c", "import alerta; alerta.create_app()"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"Alerta cannot make its tables: {done.stderr.strip().splitlines()[-1]}")


async def _run(process: psutil.Popen, port: int, dsn: str, count: int) -> dict[str, Any]:
    async with pusher(_requests(count, port), port) as begin:
        used = _cpu(process)
        answered = await (await begin()).result()
        spent = _cpu(process) - used
    db = await asyncpg.connect(dsn)
    try:
        kept = await db.fetchval("SELECT count(*) FROM alerts")
    finally:
        await db.close()
    if kept != count:
        raise Failed(f"Alerta keeps {kept} of {count} alarms: {answered['statuses']}")
    return {
        "alarms": count,
        "rates": {"kept": round(count / answered["seconds"], 1)},
        "answer_ms": answered["answer_ms"],
        "cpu_s_per_1000": round(1000 * spent / count, 3),
    }


def _requests(count: int, port: int) -> Iterator[bytes]:
    now = clock()
    for number in range(count):
        said = load.alarm("alerta", number, now)
        body = {
            "resource": f"{load.uscc(number % ENTERPRISES)}/{said['data']['point']}",
            "event": "overheated",
            "environment": "Production",
            "service": [load.uscc(number % ENTERPRISES)],
            "severity": "critical",
            "text": said["data"]["message"],
            "value": str(said["data"]["value"]),
            "createTime": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        yield load.request(port, "/alert", "application/json", orjson.dumps(body))


def _cpu(process: psutil.Popen) -> float:
    family = (process, *process.children(recursive=True))
    return float(sum(sum(each.cpu_times()[:2]) for each in family))


def _version(programs: Path) -> str:
    script = "from importlib.metadata import version; print(version('alerta-server'))"
    return subprocess.run(
        [programs / "python", "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()
