"""A service of a test's own: the real intake, relay, producer and HTTP around a handler that keeps what it took."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from threading import Thread
from typing import Any

import aiohttp
import asyncpg
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from deploy.local import secrets
from deploy.local.postgres import Postgres
from deploy.local.walls import dsn, in_our_database
from deploy.tokens import mint
from shared.consumer import Intake, Taking
from shared.database import Connection, connect
from shared.events.event import Event
from shared.service import Service, Task
from shared.settings import Settings
from shared.timers import Timer
from shared.topics import Topic
from tests.shared.records import REPORTS, report
from tests.stack import until

NAME = "trial"
PASSWORD = "trial"
Header = tuple[str, bytes | None]


def wires(numbers: Iterable[int]) -> list[bytes]:
    """The values of numbered, valid events."""
    return [report(f"r-{number}").wire() for number in numbers]


def numbered(numbers: Iterable[int]) -> list[str]:
    """How the effects of numbered events look."""
    return [f"r-{number}" for number in numbers]


@dataclass
class Trial:
    """One topic, one schema that begins empty, and as many lives of one service as a test needs."""

    postgres: Postgres
    kafka: str
    topic: Topic
    spoil: Callable[[Sequence[Event]], None] = lambda _events: None
    """What goes wrong in the handler, before its effects."""
    timers: Sequence[Timer] = ()
    tasks: Sequence[Task] = ()
    port: int = 0
    """The same in every life, for by it a member of the group is known again."""
    session: aiohttp.ClientSession = field(init=False)

    # The broker's side

    async def make_topic(self, **configs: str) -> None:
        """Makes the topic, as it is declared but for these settings."""
        async with self.admin() as admin:
            wanted = NewTopic(self.topic.name, self.topic.partitions, 1, topic_configs=self.topic.configs() | configs)
            await until(lambda: admin.create_topics([wanted]), lambda answer: answer.topic_errors[0][1] == 0)
            await until(self.ends, lambda ends: len(ends) == self.topic.partitions)

    async def delete_topic(self) -> None:
        """Deletes the topic with its records."""
        async with self.admin() as admin:
            await admin.delete_topics([self.topic.name])
            await until(admin.list_topics, lambda names: self.topic.name not in names)

    def make_topic_again(self, values: Sequence[bytes | None]) -> None:
        """Deletes it, makes it and fills it while this process stands still, as in a long pause: no client notices."""

        async def again() -> None:
            await self.delete_topic()
            await self.make_topic()
            await self.write(values)

        aside = Thread(target=asyncio.run, args=(again(),))
        aside.start()
        aside.join()

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """A client for the broker's administration."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    async def write(
        self,
        values: Sequence[bytes | None],
        headers: Mapping[int, Sequence[Header]] | None = None,
        codec: str | None = None,
    ) -> None:
        """Records from a client that is not ours, with headers by their place."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.kafka, max_request_size=8 * 1024 * 1024, compression_type=codec
        )
        await producer.start()
        try:
            for place, value in enumerate(values):
                given = list((headers or {}).get(place, ()))
                sent = await producer.send(self.topic.name, value, key=b"k", partition=0, headers=given)
            await producer.flush()
            await sent
        finally:
            await producer.stop()

    async def ends(self) -> dict[int, int]:
        """The end of each partition's log."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            tps = [TopicPartition(self.topic.name, number) for number in range(self.topic.partitions)]
            return {tp.partition: end for tp, end in (await consumer.end_offsets(tps)).items()}
        except UnknownTopicOrPartitionError:
            return {}
        finally:
            await consumer.stop()

    async def read(self, count: int) -> list[bytes | None]:
        """The first so many values of the topic, as anyone may read them."""
        consumer = AIOKafkaConsumer(self.topic.name, bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(20):
                return [(await consumer.getone()).value for _ in range(count)]
        finally:
            await consumer.stop()

    # The service's side

    async def prepare(self) -> None:
        """An empty schema with the shared tables and one for effects."""
        admin = await asyncpg.connect(in_our_database(self.postgres.admin_dsn))
        roles = [f"{NAME}_{kind}" for kind in ("owner", "work", "ask")]
        await admin.execute(f"DROP SCHEMA IF EXISTS {NAME} CASCADE; CREATE SCHEMA {NAME}")
        for role in roles:
            if not await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
                await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
            await admin.execute(f"GRANT USAGE ON SCHEMA {NAME} TO {role}")
            await admin.execute(f"GRANT CONNECT ON DATABASE fengsui TO {role}")
            await admin.execute(f"ALTER ROLE {role} SET search_path = {NAME}")
        await admin.execute(f"SET search_path = {NAME}")
        for script in sorted((files("shared") / "migrations").iterdir(), key=lambda each: each.name):
            await admin.execute(script.read_text("utf-8").replace(":service", NAME))
        await admin.execute("CREATE TABLE effects (seq bigint GENERATED ALWAYS AS IDENTITY, pushid text)")
        await admin.execute(f"GRANT SELECT, INSERT ON effects TO {NAME}_work")
        await admin.close()

    def dsn(self, kind: str = "work") -> str:
        """Where a role of the service finds its tables."""
        return dsn(self.postgres.admin_dsn, f"{NAME}_{kind}", PASSWORD)

    async def _keep(self, db: Connection, events: Sequence[Event]) -> None:
        self.spoil(events)
        await db.execute(
            "INSERT INTO effects (pushid) SELECT * FROM unnest($1::text[])", [event.pushid for event in events]
        )

    @asynccontextmanager
    async def running(self, group: str | None = None) -> AsyncIterator[Service]:
        """One life of the service; in another group it gets the partition beside the one that has it."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            self.port = listener.getsockname()[1]
            settings = Settings(
                kafka=self.kafka,
                postgres_work=self.dsn(),
                postgres_ask=self.dsn("ask"),
                jwks=str(secrets.folder(self.postgres.home) / "jwks.json"),
                port=self.port,
            )
            service = Service(
                NAME,
                settings,
                takings=[Taking(self.topic, self._keep)],
                timers=self.timers,
                tasks=lambda _service: self.tasks,
            )
            intake_of(service)._group = group or intake_of(service)._group
            server = uvicorn.Server(uvicorn.Config(service.app, lifespan="off", log_level="warning"))
            async with service.running(), aiohttp.ClientSession() as self.session:
                serving = asyncio.create_task(server.serve([listener]))
                try:
                    yield service
                finally:
                    server.should_exit = True
                    await serving

    async def readyz(self, service: Service) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        async with self.session.get(f"http://127.0.0.1:{service.settings.port}/readyz") as answer:
            return answer.status, await answer.json()

    async def post(self, service: Service, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and answer, asked as ops."""
        headers = {"Authorization": f"Bearer {mint(self.postgres.home, '运维', 'ops', '220000', 1)}"}
        url = f"http://127.0.0.1:{service.settings.port}{path}"
        async with self.session.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def sql(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Rows of the trial's schema, as its owner sees them."""
        db = await connect(in_our_database(self.postgres.admin_dsn), "test", search_path=NAME)
        try:
            return await db.fetch(query, *values)
        finally:
            await db.close()

    async def took(self, count: int, timeout: float = 20) -> list[str]:
        """The effects in their order, once there are at least so many."""

        async def effects() -> list[str]:
            return [row["pushid"] for row in await self.sql("SELECT pushid FROM effects ORDER BY seq")]

        found: list[str] = await until(effects, lambda some: len(some) >= count, timeout)
        return found

    async def reached(self, offset: int, partition: int = 0, timeout: float = 20) -> None:
        """Waits until the position is there."""
        await until(lambda: self.position(partition), lambda at: at == offset, timeout)

    async def position(self, partition: int = 0) -> int | None:
        """Which offset is read next."""
        rows = await self.sql("SELECT next FROM positions WHERE partition = $1", partition)
        return rows[0]["next"] if rows else None

    async def dead(self) -> list[asyncpg.Record]:
        """The dead letters in their order."""
        return await self.sql("SELECT * FROM dead_letters ORDER BY id")


def intake_of(service: Service) -> Intake:
    """The only one of a trial."""
    (intake,) = service.intakes
    return intake


def topic_named(name: str, partitions: int = 1) -> Topic:
    """A topic of hazard reports for one test."""
    return replace(REPORTS, name=name, partitions=partitions)
