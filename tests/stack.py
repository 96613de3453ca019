"""A platform for tests: real Kafka, real PostgreSQL, services as processes that can be killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from deploy.local import secrets
from deploy.local.postgres import Postgres
from deploy.local.walls import SERVICES, bootstrap, in_our_database
from deploy.tokens import ensure_keys, mint
from shared import giving_up
from shared.codes import uscc_check_character
from shared.migrate import migrate
from shared.service import PORTS

HTTP_SERVICES = ("ingest", "hazards", "notify", "reporting")


def uscc(number: int) -> str:
    """The credit code of the nth test enterprise."""
    body = f"91220203MA{number:07}"
    return body + uscc_check_character(body)


ENTERPRISE = uscc(1)


def free_base() -> int:
    """A port base whose following ports are free, and stay so: from 32768 on a connection may be given any."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    first = (os.getpid() + 290 * int(worker)) % 580  # each test process counts on from its own, far from the other's
    for base in (21000 + (first + step) % 580 * 20 for step in range(580)):
        try:
            for offset in range(10):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
            return base
        except OSError:
            continue
    raise RuntimeError("no free ports")


def now() -> str:
    """RFC 3339, as an enterprise writes it."""
    return datetime.now(UTC).isoformat()


def alarm(pushed: str, point: str = "T-1", level: str = "red", state: str = "raised", **more: Any) -> dict[str, Any]:
    """A CloudEvent of an alarm."""
    data = {"point": point, "level": level, "state": state} | more.pop("data", {})
    return {
        "specversion": "1.0",
        "id": pushed,
        "source": "//test/dcs",
        "type": "fengsui.alarm.v1",
        "time": now(),
        "data": data,
    } | more


def hazard(pushed: str, title: str = "安全阀未校验", **more: Any) -> dict[str, Any]:
    """A CloudEvent of a hazard report."""
    data = {"title": title, "category": "equipment"} | more.pop("data", {})
    return {
        "specversion": "1.0",
        "id": pushed,
        "source": "//test/check",
        "type": "fengsui.hazard.v1",
        "data": data,
    } | more


async def until(
    ask: Callable[[], Awaitable[Any]],
    wanted: Callable[[Any], bool] = bool,
    timeout: float = 20,
    every: float = 0.05,
) -> Any:
    """The first answer that is wanted; fails with the last one otherwise."""
    deadline = time.monotonic() + timeout
    answer: Any = None
    while time.monotonic() < deadline:
        try:
            answer = await ask()
            if wanted(answer):
                return answer
        except (aiohttp.ClientError, OSError, asyncpg.PostgresError, TimeoutError) as error:
            answer = error
        await asyncio.sleep(every)
    raise AssertionError(f"not within {timeout} s; the last answer was {answer!r}")


@dataclass
class Stack:
    """One home with its two servers; services come and go."""

    home: Path
    postgres: Postgres
    kafka: str
    base: int = field(default_factory=free_base)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    session: aiohttp.ClientSession = field(init=False)
    key: str = ""

    def environment(self, service: str, port: int, **more: str) -> dict[str, str]:
        """What a service's process is told."""
        return os.environ | {
            "FENGSUI_HOME": str(self.home),
            "FENGSUI_PORT": str(port),
            "FENGSUI_PORT_BASE": str(self.base),
            "FENGSUI_KAFKA": self.kafka,
            "FENGSUI_POSTGRES_WORK": self.postgres.dsn(f"{service}_work"),
            "FENGSUI_POSTGRES_ASK": self.postgres.dsn(f"{service}_ask"),
            "FENGSUI_JWKS": str(secrets.folder(self.home) / "jwks.json"),
            "FENGSUI_WEBHOOK_ALLOW": "127.0.0.0/8",
            **more,
        }

    def start(self, service: str, name: str | None = None, port: int | None = None, **more: str) -> None:
        """Starts a service, or a replica of it under another name and port."""
        name, port = name or service, port or self.base + PORTS[service]
        with (self.home / f"{name}.log").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{service}"],
                env=self.environment(service, port, **more),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends a process, by SIGKILL if nothing else is said."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(15)

    def alive(self, name: str) -> bool:
        """Whether a process has not ended by itself."""
        return self.processes[name].poll() is None

    async def died(self, name: str, timeout: float = 30) -> int:
        """Waits until a process has ended by itself, and forgets it; its exit code."""

        async def code() -> int | None:
            return self.processes[name].poll()

        ended: int = await until(code, lambda given: given is not None, timeout)
        del self.processes[name]
        return ended

    async def watch(self) -> None:
        """Starts again, as the supervisor does, what gave itself up; until cancelled."""
        while True:
            for name, process in list(self.processes.items()):
                if process.poll() == giving_up.CODE and name in PORTS:
                    self.start(name)
            await asyncio.sleep(0.2)

    async def reasons(self, *services: str) -> dict[str, Any]:
        """What each says of itself, and the end of its log: for whoever must find out what happened."""
        found: dict[str, Any] = {}
        for service in services:
            lines = (self.home / f"{service}.log").read_text("utf-8", "replace").splitlines()
            try:
                async with self.session.get(self.url(service, "/readyz")) as answer:
                    found[service] = [await answer.json(), *lines[-5:]]
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                found[service] = [repr(error), *lines[-5:]]
        return found

    def url(self, service: str, path: str = "") -> str:
        """Where a service answers."""
        return f"http://127.0.0.1:{self.base + PORTS[service]}{path}"

    def headers(
        self, role: str = "admin", region: str = "220000", name: str = "test", enterprise: str | None = None
    ) -> Any:
        """A staff's token."""
        return {"Authorization": f"Bearer {mint(self.home, name, role, region, 1, enterprise)}"}

    async def ready(self, *services: str, timeout: float = 90) -> None:
        """Waits until each can do its job."""

        async def ask(service: str) -> Any:
            async with self.session.get(self.url(service, "/readyz")) as answer:
                return await answer.json()

        for service in services:
            try:
                await until(lambda service=service: ask(service), lambda a: isinstance(a, dict) and a["ready"], timeout)
            except AssertionError as error:
                said = "\n".join(map(str, (await self.reasons(service))[service]))
                raise AssertionError(f"{service}: {error}\n{said}") from None

    async def push(self, *events: dict[str, Any], key: str | None = None) -> tuple[int, dict[str, Any]]:
        """Pushes a batch; the status and the answer."""
        return await self.post("/v1/events", list(events), "application/cloudevents-batch+json", key)

    async def push_readings(self, frame: dict[str, Any], key: str | None = None) -> tuple[int, dict[str, Any]]:
        """Pushes a frame; the status and the answer."""
        return await self.post("/v1/readings", frame, "application/json", key)

    async def post(self, path: str, body: Any, media: str, key: str | None = None) -> tuple[int, dict[str, Any]]:
        """Posts to the door."""
        import orjson

        headers = {"Authorization": f"Bearer {key or self.key}", "Content-Type": media}
        async with self.session.post(self.url("ingest", path), data=orjson.dumps(body), headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, service: str, path: str, **staff: Any) -> Any:
        """Asks a service as staff; the answer must be 200."""
        async with self.session.get(self.url(service, path), headers=self.headers(**staff)) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(
        self, service: str, path: str, body: Any, version: int | None = None, **staff: Any
    ) -> tuple[int, Any]:
        """Posts to a service as staff; status and answer."""
        headers = self.headers(**staff) | ({"If-Match": f'"{version}"'} if version is not None else {})
        async with self.session.post(self.url(service, path), json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def upload(self, service: str, path: str, text: str) -> Any:
        """Imports a registry file; the answer must be 200."""
        headers = self.headers() | {"Content-Type": "text/csv"}
        async with self.session.post(self.url(service, path), data=text.encode(), headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def sql(self, query: str, *values: Any) -> Any:
        """Rows as the superuser sees them."""
        db = await asyncpg.connect(in_our_database(self.postgres.admin_dsn))
        try:
            return await db.fetch(query, *values)
        finally:
            await db.close()

    async def register(self, uscc: str, points: Iterable[str], region: str = "220203", **limits: Any) -> str:
        """An enterprise with points; its key."""
        await self.upload(
            "ingest",
            "/v1/enterprises/import",
            f"uscc,name,region,industry\n{uscc},测试企业{uscc[-4:]},{region},petrochemical\n",
        )
        columns = ",".join(limits)
        values = ",".join(map(str, limits.values()))
        lines = [f"{uscc},{point},测点 {point}" + (f",{values}" if limits else "") for point in points]
        header = "uscc,point,name" + (f",{columns}" if limits else "")
        await self.upload("ingest", "/v1/points/import", "\n".join([header, *lines]) + "\n")
        status, made = await self.send("ingest", "/v1/keys", {"enterprise": uscc, "name": "test"})
        assert status == 201, made
        return str(made["key"])

    def stop(self) -> None:
        """Ends all services, also one that is frozen or does not want to."""
        for process in self.processes.values():
            process.terminate()
            process.send_signal(signal.SIGCONT)
        for process in self.processes.values():
            try:
                process.wait(12)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self.processes.clear()


@asynccontextmanager
async def opened(stack: Stack) -> AsyncIterator[Stack]:
    """A stack with its HTTP session."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        stack.session = session
        try:
            yield stack
        finally:
            stack.stop()


@asynccontextmanager
async def served(home: Path, services: Iterable[str] = SERVICES) -> AsyncIterator[Postgres]:
    """A PostgreSQL in a home, with the schemas of these services as in production."""
    server = Postgres(home, fast=True)
    server.start()
    try:
        await furnish(server, services)
        yield server
    finally:
        server.stop()


async def furnish(server: Postgres, services: Iterable[str]) -> None:
    """Keys, roles and the schemas of these services, for a server that runs."""
    ensure_keys(server.home)
    await bootstrap(server.admin_dsn, passwords(server.home))
    for service in services:
        await migrate(in_our_database(server.admin_dsn), service)


def passwords(home: Path) -> dict[str, str]:
    """Passwords of the services' roles."""
    return {f"{s}_{kind}": secrets.password(home, f"{s}_{kind}") for s in SERVICES for kind in ("work", "ask")}


__all__ = [
    "ENTERPRISE",
    "Stack",
    "alarm",
    "ensure_keys",
    "free_base",
    "furnish",
    "hazard",
    "now",
    "opened",
    "passwords",
    "served",
    "until",
    "uscc",
]
