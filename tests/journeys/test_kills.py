"""Whatever is killed, frozen or cut off, whenever: nothing acknowledged is lost, nothing has its effect twice."""

import asyncio
import random
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.processes import gone, recorded
from shared.topics import ensure_topics
from tests.journeys.ledger import SERVICES, balances, settled
from tests.journeys.load import POINTS, Load
from tests.stack import Stack, furnish, opened, until, uscc

SEAMS = (
    "consumer.after_fetch",
    "consumer.before_commit",
    "consumer.after_commit",
    "relay.before_send",
    "relay.after_ack",
    "relay.after_mark",
)
pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


@dataclass
class Platform:
    """Servers and services that nobody else needs, and what was pushed to them so far."""

    postgres: Postgres
    kafka: Kafka
    stack: Stack
    load: Load

    async def revive(self, service: str, **faults: str) -> None:
        """Starts a service again, perhaps with fault points, and waits until it is at work."""
        self.stack.start(service, **faults)
        if not faults:
            await self.stack.ready(service)

    async def strike(self, server: str, number: signal.Signals) -> None:
        """Ends a server as a fault does."""
        record = recorded(self.stack.home, server)
        process = record.process() if record else None
        assert process is not None
        process.send_signal(number)
        await asyncio.to_thread(lambda: gone(process) or process.wait(10))


@pytest.fixture(scope="module")
async def platform() -> AsyncIterator[Platform]:
    """All of it at work, with three enterprises registered."""
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        postgres, kafka = Postgres(home), Kafka(home)
        try:
            await asyncio.gather(asyncio.to_thread(postgres.start), asyncio.to_thread(kafka.start))
            await furnish(postgres, SERVICES)
            await ensure_topics(kafka.bootstrap)
            async with opened(Stack(home, postgres, kafka.bootstrap)) as stack:
                for service in SERVICES:
                    stack.start(service)
                await stack.ready(*SERVICES)
                keys = {uscc(number): await stack.register(uscc(number), POINTS) for number in (71, 72, 73)}
                watching = asyncio.create_task(stack.watch())
                yield Platform(postgres, kafka, stack, Load(stack, keys))
                watching.cancel()
        finally:
            kafka.stop()
            postgres.stop()


async def test_a_quiet_hour_balances(platform: Platform) -> None:
    async with platform.load.under_way():
        await platform.load.goes_on(100)

    await balances(platform.stack, platform.load)


async def test_a_ledger_killed_at_any_of_its_seams_balances(platform: Platform) -> None:
    stack, load = platform.stack, platform.load

    async with load.under_way():
        for number, seam in enumerate(SEAMS, start=1):
            stack.kill("hazards")
            await platform.revive("hazards", FENGSUI_FAULTS=f"{seam}=kill#{number}")
            assert await stack.died("hazards") == -signal.SIGKILL
            stack.start("hazards")
        await load.goes_on()

    await balances(stack, load)


async def test_a_door_killed_before_its_answer_balances(platform: Platform) -> None:
    stack, load = platform.stack, platform.load
    unknown = load.unknown

    async with load.under_way():
        for number in (1, 5):
            stack.kill("ingest")
            await platform.revive("ingest", FENGSUI_FAULTS=f"door.before_answer=kill#{number}")
            assert await stack.died("ingest") == -signal.SIGKILL
            stack.start("ingest")
        await load.goes_on()

    assert load.unknown > unknown
    await balances(stack, load)


async def test_services_killed_at_random_balance(platform: Platform) -> None:
    stack, load, chance = platform.stack, platform.load, random.Random(2)

    async with load.under_way():
        for _ in range(6):
            await load.goes_on(chance.randint(1, 30))
            victim = chance.choice(("hazards", "hazards", "notify", "reporting", "ingest"))
            stack.kill(victim)
            await platform.revive(victim)

    await balances(stack, load)


async def test_a_replica_frozen_in_a_transaction_writes_nothing_when_it_wakes(platform: Platform) -> None:
    stack, load = platform.stack, platform.load
    stack.start("hazards", "twin", stack.base + 15, FENGSUI_FAULTS="consumer.before_commit=sleep0.3")
    try:
        async with load.under_way():
            await until(lambda: inside_a_transaction(platform, "twin"), timeout=60)
            stack.processes["twin"].send_signal(signal.SIGSTOP)
        await settled(stack, load)  # the other has taken over all partitions
        before = await rows(platform)

        stack.processes["twin"].send_signal(signal.SIGCONT)
        await until(lambda: at_work_again(platform, stack.base + 15), timeout=60)

        assert await rows(platform) == before
        async with load.under_way():
            await load.goes_on()
        await balances(stack, load)
    finally:
        stack.kill("twin")


async def inside_a_transaction(platform: Platform, name: str) -> bool:
    """Whether one of the process's consumers has begun a batch."""
    mine = {line.laddr.port for line in psutil.Process(platform.stack.processes[name].pid).net_connections("tcp")}
    busy = await platform.stack.sql(
        "SELECT client_port FROM pg_stat_activity WHERE state = 'idle in transaction' "
        "AND application_name IN ('hazards.alarms', 'hazards.reports')"
    )
    return bool(mine & {row["client_port"] for row in busy})


async def rows(platform: Platform) -> tuple[int, ...]:
    tables = ("inbox", "timeline", "cases", "outbox", "dead_letters")
    counts = [await platform.stack.sql(f"SELECT count(*) AS n FROM hazards.{table}") for table in tables]
    return tuple(count[0]["n"] for count in counts)


async def at_work_again(platform: Platform, port: int) -> bool:
    async with platform.stack.session.get(f"http://127.0.0.1:{port}/readyz") as answer:
        return answer.status == 200


async def test_a_broker_killed_under_load_balances(platform: Platform) -> None:
    async with platform.load.under_way():
        await platform.load.goes_on()
        await platform.strike("kafka", signal.SIGKILL)
        await asyncio.to_thread(platform.kafka.start)
        await platform.load.goes_on()

    await balances(platform.stack, platform.load)


async def test_a_database_shut_down_at_once_under_load_balances(platform: Platform) -> None:
    async with platform.load.under_way():
        for _ in range(2):
            await platform.load.goes_on()
            await platform.strike("postgres", signal.SIGQUIT)
            await asyncio.to_thread(platform.postgres.start)
        await platform.load.goes_on()

    await balances(platform.stack, platform.load)


async def test_sessions_cut_at_random_under_load_balance(platform: Platform) -> None:
    async with platform.load.under_way():
        for turn in range(30):
            await platform.load.goes_on(10)
            await platform.stack.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename LIKE '%\\_work' AND hashint4(pid + $1) % 2 = 0",
                turn,
            )

    await balances(platform.stack, platform.load)
