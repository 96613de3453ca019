"""A stack that is made to be hurt: every process has a name, comes back when it dies, and is counted."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import psutil

from bench.chaos.proxy import Proxy
from bench.chaos.replica import Replica, Server, end
from deploy.local import plan, ports, secrets
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.processes import gone
from deploy.local.walls import SERVICES as SCHEMAS
from deploy.local.walls import bootstrap, dsn, in_our_database
from deploy.refusal import Refusal
from deploy.tokens import ensure_keys
from shared.migrate import migrate
from shared.topics import ensure_topics

SERVICES: Final = ("ingest", "hazards", "notify", "reporting")
REPLICAS: Final = 2
ROOT: Final = Path(__file__).parents[2]
SETTLED_S: Final = 30.0
PATIENCE_S: Final = 600.0


@dataclass
class Platform:
    """Two servers behind proxies, and so many replicas of each service."""

    home: Path
    tree: Path
    """The code that the services run."""
    proxied: bool = True
    small_disk: bool = False
    """Whether the home lies on a small file system of its own."""
    count: int = REPLICAS
    always: dict[str, dict[str, str]] = field(default_factory=dict)
    """By service, what every life that begins from now on is told besides."""
    replicas: dict[str, Replica] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    exits: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    """Processes that SIGKILL ended."""
    session: aiohttp.ClientSession = field(init=False)
    _keepers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ending: bool = False

    @property
    def postgres(self) -> Postgres:
        part = self.servers["postgres"].part
        assert isinstance(part, Postgres)
        return part

    @property
    def admin_dsn(self) -> str:
        return in_our_database(self.postgres.admin_dsn)

    @property
    def bootstrap(self) -> str:
        """Where clients of ours meet Kafka: what they are told there leads through the proxy as well."""
        part = self.servers["kafka"].part
        assert isinstance(part, Kafka)
        return f"127.0.0.1:{self.proxies['kafka'].port}" if self.proxied else part.bootstrap

    def of(self, service: str) -> list[Replica]:
        """The replicas of a service, those of a storm included."""
        return [replica for replica in self.replicas.values() if replica.service == service]

    # Life

    async def start(self) -> None:
        """Servers, schemas, topics, replicas; returns when all can do their job."""
        kafka = Kafka(self.home)
        if self.proxied:
            kafka.advertised = ports.kept(self.home, "proxy.kafka", "none")
        self.servers = {"postgres": Server("postgres", Postgres(self.home)), "kafka": Server("kafka", kafka)}
        if self.proxied:
            await self._build_proxies(kafka)
        await asyncio.gather(*(asyncio.to_thread(server.part.start) for server in self.servers.values()))
        ensure_keys(self.home)
        passwords = {
            f"{s}_{kind}": secrets.password(self.home, f"{s}_{kind}") for s in SCHEMAS for kind in ("work", "ask")
        }
        await bootstrap(self.postgres.admin_dsn, passwords)
        for service in SERVICES:
            await migrate(self.admin_dsn, service)
        await ensure_topics(self.bootstrap)
        for name, server in self.servers.items():
            self._keepers[name] = asyncio.create_task(self._keep_server(server))
        for service in SERVICES:
            for number in range(1, self.count + 1):
                self.add(service, f"{service}-{number}")
        if waiting := await self.ready(PATIENCE_S):
            raise RuntimeError(f"not ready after {PATIENCE_S:.0f} s: {waiting}")

    async def _build_proxies(self, kafka: Kafka) -> None:
        advertised = kafka.advertised
        assert advertised is not None
        self.proxies["kafka"] = Proxy("kafka", advertised, kafka.port)
        for service in SERVICES:
            name = f"postgres.{service}"
            self.proxies[name] = Proxy(name, ports.kept(self.home, f"proxy.{name}", "none"), self.postgres.port)
        for proxy in self.proxies.values():
            await proxy.start()

    def add(self, service: str, name: str) -> Replica:
        """One more replica, kept alive from now on."""
        replica = Replica(name, service, ports.kept(self.home, name, "none"))
        self.replicas[name] = replica
        self._keepers[name] = asyncio.create_task(self._keep(replica))
        return replica

    async def remove(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends a replica for good."""
        self._keepers.pop(name).cancel()
        replica = self.replicas.pop(name)
        await asyncio.to_thread(end, replica, number)
        self._count(replica)

    async def stop(self) -> None:
        """Ends everything, also what is frozen."""
        self._ending = True
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        await asyncio.gather(*(asyncio.to_thread(end, replica, signal.SIGTERM) for replica in self.replicas.values()))
        for proxy in self.proxies.values():
            await proxy.stop()
        for server in reversed(self.servers.values()):
            if process := server.process(self.home):
                with suppress(psutil.Error):
                    process.resume()
            await asyncio.to_thread(server.part.stop)

    async def ready(self, timeout: float) -> dict[str, str]:
        """Waits until every replica can do its job; what those say that cannot in time."""
        until = time.monotonic() + timeout
        while (waiting := await self.reasons()) and time.monotonic() < until:  # noqa: ASYNC110 (others are asked)
            await asyncio.sleep(0.3)
        return waiting

    async def reasons(self) -> dict[str, str]:
        """Why replicas are not ready."""
        answers = await asyncio.gather(*map(self._reason, list(self.replicas.values())))
        return {replica.name: why for replica, why in zip(self.replicas.values(), answers, strict=False) if why}

    async def _reason(self, replica: Replica) -> str:
        try:
            async with self.session.get(replica.url + "/readyz", timeout=aiohttp.ClientTimeout(total=5)) as answer:
                said = await answer.json()
                return "" if said["ready"] else "; ".join(said["reasons"])
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return type(error).__name__

    # Who keeps them alive

    async def _keep(self, replica: Replica) -> None:
        deaths = 0
        while True:
            born = time.monotonic()
            self._spawn(replica)
            while replica.alive:  # noqa: ASYNC110 (a process is asked)
                await asyncio.sleep(0.1)
            self._count(replica)
            deaths = 1 if time.monotonic() - born > SETTLED_S else deaths + 1
            await asyncio.sleep(plan.backoff(deaths))

    def check(self) -> None:
        """Raises what has ended a keeper, for nothing would start its process again."""
        for keeper in self._keepers.values():
            if keeper.done():
                keeper.result()

    def _count(self, replica: Replica) -> None:
        code = replica.process.returncode if replica.process else None
        self.exits[f"{replica.service} {code}"] += 1
        self.kills += code == -signal.SIGKILL

    def _spawn(self, replica: Replica) -> None:
        more, replica.more = replica.more, {}
        replica.lives += 1
        log = self.home / "log" / f"{replica.name}.log"
        with log.open("ab") as out:
            replica.process = psutil.Popen(
                [sys.executable, "-m", f"services.{replica.service}"],
                env=self._environment(replica) | more,
                cwd=self.tree,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _environment(self, replica: Replica) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FENGSUI_")}
        return ours | {
            "PYTHONPATH": str(self.tree),
            "FENGSUI_HOME": str(self.home),
            "FENGSUI_PORT": str(replica.port),
            "FENGSUI_KAFKA": self.bootstrap,
            "FENGSUI_POSTGRES_WORK": self._dsn(replica.service, "work"),
            "FENGSUI_POSTGRES_ASK": self._dsn(replica.service, "ask"),
            "FENGSUI_JWKS": str(secrets.folder(self.home) / "jwks.json"),
            "FENGSUI_WEBHOOK_ALLOW": "127.0.0.0/8",
            "FENGSUI_RATE_LIMIT": "20000",
            "FENGSUI_FAULTS_SEED": f"{replica.name}/{replica.lives}",
            **self.always.get(replica.service, {}),
        }

    def _dsn(self, service: str, kind: str) -> str:
        role = f"{service}_{kind}"
        direct = self.postgres.admin_dsn
        if self.proxied:
            direct = direct.replace(f":{self.postgres.port}/", f":{self.proxies[f'postgres.{service}'].port}/")
        return dsn(direct, role, secrets.password(self.home, role))

    async def _keep_server(self, server: Server) -> None:
        while True:
            await asyncio.sleep(0.3)
            if server.away or await asyncio.to_thread(server.process, self.home) is not None:
                continue
            try:
                await asyncio.to_thread(server.part.start)
                server.lives += 1
            except (Refusal, OSError, psutil.Error) as error:  # on a full disk not even the start can be written down
                self.exits[f"{server.name}: {str(error)[:120]}"] += 1

    # What faults do

    async def renew(self, service: str, **always: str) -> None:
        """Every replica of a service begins a new life, and each of its lives from now on is told this."""
        self.always[service] = always
        for replica in self.of(service):
            if replica.alive and replica.process is not None:
                replica.process.kill()

    async def strike(self, server: str, number: signal.Signals, away_s: float) -> None:
        """Ends a server, which comes back after so long."""
        one = self.servers[server]
        if (process := await asyncio.to_thread(one.process, self.home)) is None:
            return
        one.away = True
        try:
            process.send_signal(number)
            while not gone(process):  # noqa: ASYNC110 (a process is asked)
                await asyncio.sleep(0.1)
            self.kills += number == signal.SIGKILL
            await asyncio.sleep(away_s)
        finally:
            one.away = False


@asynccontextmanager
async def opened(platform: Platform) -> AsyncIterator[Platform]:
    """The platform at work, with its HTTP session; everything ends with the context."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as platform.session:
        try:
            await platform.start()
            yield platform
        finally:
            await platform.stop()
