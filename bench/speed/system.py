"""The system that is measured: a whole stack of its own in a temporary home, as `fengsui up` runs it."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import orjson

from deploy.local import secrets
from deploy.local.kafka import Kafka
from deploy.local.ports import is_free
from deploy.local.postgres import Postgres
from deploy.local.processes import recorded
from deploy.local.walls import SERVICES, bootstrap, in_our_database, roles
from deploy.tokens import ensure_keys, mint
from shared.migrate import migrate
from shared.service import PORTS
from shared.topics import ensure_topics

MEASURED: Final = ("ingest", "hazards", "notify", "reporting")
WEBHOOK_OFFSET: Final = 9
REPLICA_OFFSET: Final = 10
READY_S: Final = 90.0
SETTINGS: Final = {"track_commit_timestamp": "on"}
"""Beside those of an embedded server: by it a commit's moment is known exactly."""


class Failed(Exception):
    """The measurement cannot go on."""


def free_base() -> int:
    """A port base with room for the services, their replicas and the receiving webhook."""
    for base in range(21000 + os.getpid() % 100 * 60, 30000, 60):
        if all(is_free(base + offset) for offset in range(60)):
            return base
    raise Failed("no free ports")


class System:
    """Servers, services and a receiving webhook; what runs is known by name."""

    def __init__(self, home: Path) -> None:
        self.home, self.base = home, free_base()
        self.postgres, self.kafka = Postgres(home), Kafka(home)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.session: aiohttp.ClientSession
        self.db: asyncpg.Connection[asyncpg.Record]

    @property
    def webhook_port(self) -> int:
        """Where the receiving webhook listens."""
        return self.base + WEBHOOK_OFFSET

    @property
    def admin_dsn(self) -> str:
        """The platform's database as the superuser."""
        return in_our_database(self.postgres.admin_dsn)

    def port(self, name: str) -> int:
        """Where a service or a replica of it listens."""
        service, _, replica = name.partition(".")
        return self.base + PORTS[service] + int(replica or 0) * REPLICA_OFFSET

    async def start_servers(self, settings: Mapping[str, str] = SETTINGS) -> None:
        """PostgreSQL with these settings, Kafka, schemas and topics."""
        ensure_keys(self.home)
        self.postgres.start()
        admin = await asyncpg.connect(self.postgres.admin_dsn)
        for name, value in settings.items():
            await admin.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await admin.close()
        self.postgres.stop()
        self.postgres.start()
        passwords = {role: secrets.password(self.home, role) for role in roles()}
        await bootstrap(self.postgres.admin_dsn, passwords)
        for service in SERVICES:
            await migrate(self.admin_dsn, service)
        self.kafka.start()
        await ensure_topics(self.kafka.bootstrap)

    def start(self, service: str, replica: int = 0) -> str:
        """Starts a service or a further replica of it; its name here."""
        name = f"{service}.{replica}" if replica else service
        environment = os.environ | {
            "FENGSUI_HOME": str(self.home),
            "FENGSUI_PORT": str(self.port(name)),
            "FENGSUI_PORT_BASE": str(self.base),
            "FENGSUI_KAFKA": self.kafka.bootstrap,
            "FENGSUI_POSTGRES_WORK": self.postgres.dsn(f"{service}_work"),
            "FENGSUI_POSTGRES_ASK": self.postgres.dsn(f"{service}_ask"),
            "FENGSUI_JWKS": str(secrets.folder(self.home) / "jwks.json"),
            "FENGSUI_WEBHOOK_ALLOW": "127.0.0.0/8",
        }
        self._spawn(name, [sys.executable, "-m", f"services.{service}"], environment)
        return name

    def receive(self, name: str, port: int, pattern: str) -> None:
        """Starts a receiving webhook that finds ids by the pattern."""
        self._spawn(name, [sys.executable, "-m", "bench.speed.receiver", str(port), pattern], os.environ)

    def _spawn(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        with (self.home / f"{name}.log").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command, env=dict(environment), stdout=out, stderr=out, start_new_session=True
            )

    async def ready(self, *names: str) -> None:
        """Waits until each service can do its job."""
        until = time.monotonic() + READY_S
        for name in names:
            url = f"http://127.0.0.1:{self.port(name)}/readyz"
            why = f"{name} is not ready; see {self.home}/{name}.log"
            await self.answers(url, why, until, self.processes[name])

    async def answers(
        self, url: str, why_not: str, until: float, process: "subprocess.Popen[bytes] | None" = None
    ) -> None:
        """Waits for a 200, until a monotonic time or the end of the process; without it, fails and says why not."""
        while time.monotonic() < until and (process is None or process.poll() is None):
            try:
                async with self.session.get(url) as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)
        raise Failed(why_not)

    def stop(self, *names: str) -> None:
        """Ends processes, kindly first."""
        for name in names:
            self.processes[name].terminate()
        for name in names:
            try:
                self.processes.pop(name).wait(15)
            except subprocess.TimeoutExpired:
                raise Failed(f"{name} does not end") from None

    async def post(self, service: str, path: str, body: bytes, media: str) -> Any:
        """Posts as an admin; the answer, which must be a success."""
        token = mint(self.home, "bench", "admin", "220000", 12)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media}
        url = f"http://127.0.0.1:{self.base + PORTS[service]}{path}"
        async with self.session.post(url, data=body, headers=headers) as answer:
            said = await answer.read()
            if answer.status >= 300:
                raise Failed(f"{path} answers {answer.status}: {said.decode()[:300]}")
            return orjson.loads(said)

    def pids(self) -> dict[str, int]:
        """Every process that is measured, by name; PostgreSQL by its first."""
        running = {name: process.pid for name, process in self.processes.items()}
        for name in ("postgres", "kafka"):
            if found := recorded(self.home, name):
                running[name] = found.pid
        return running


@asynccontextmanager
async def running(keep: bool = False) -> AsyncIterator[System]:
    """A system with its services ready; everything ends with the context, and the home goes unless it is kept."""
    home = Path(tempfile.mkdtemp(prefix="fengsui-bench-"))
    home.chmod(0o755)
    system = System(home)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as system.session:
        try:
            await system.start_servers()
            system.db = await asyncpg.connect(system.admin_dsn)
            names = [system.start(service) for service in MEASURED]
            await system.ready(*names)
            yield system
        finally:
            for process in system.processes.values():
                process.terminate()
            for process in system.processes.values():
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            system.kafka.stop()
            system.postgres.stop()
            if not keep:
                shutil.rmtree(home, ignore_errors=True)
