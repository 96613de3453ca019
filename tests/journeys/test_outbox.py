"""What was committed is sent, all of it, by one relay at a time."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import psutil
import pytest

from shared import outbox
from shared.database import connect
from shared.events.event import Event
from shared.producer import Producer
from tests.journeys.trial import NAME, Trial
from tests.shared.records import REPORTS, report
from tests.stack import until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

WRITERS, COMMITS, EACH = 8, 25, 4
Start = Callable[[], psutil.Popen]


async def put(trial: Trial, *names: str) -> None:
    """Commits events into the outbox."""
    db = await connect(trial.dsn(), "writer")
    async with db.transaction():
        await outbox.put(db, trial.topic, [report(name) for name in names])
    await db.close()


async def unsent(trial: Trial) -> int:
    rows = await trial.sql("SELECT count(*) AS n FROM outbox WHERE sent_at IS NULL")
    return int(rows[0]["n"])


async def all_sent(trial: Trial, timeout: float = 20) -> None:
    await until(lambda: unsent(trial), lambda left: left == 0, timeout)


async def on_the_bus(trial: Trial) -> list[str]:
    """The names of all events on the topic, in its order."""
    ends = await trial.ends()
    values = await trial.read(ends[0]) if ends[0] else []
    events: list[Event] = [REPORTS.reader.validate_json(value or b"") for value in values]
    return [event.pushid or "" for event in events]


@pytest.fixture
async def relay(trial: Trial) -> AsyncIterator[outbox.Relay]:
    """A relay at full speed in this process."""
    producer = Producer(trial.kafka, "test")
    made = outbox.Relay(trial.dsn(), NAME, producer)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await producer.stop()


async def test_what_commits_out_of_order_is_sent_whole(trial: Trial, relay: outbox.Relay) -> None:
    chance, committed = random.Random(8), set[str]()

    async def write(writer: int) -> None:
        db = await connect(trial.dsn(), f"writer {writer}")
        for turn in range(COMMITS):
            names = [f"{writer}/{turn}/{number}" for number in range(EACH)]
            transaction = db.transaction()
            await transaction.start()
            await outbox.put(db, trial.topic, [report(name) for name in names])
            await asyncio.sleep(chance.uniform(0, 0.05))
            if chance.random() < 0.1:
                await transaction.rollback()
            else:
                await transaction.commit()
                committed.update(names)
                relay.wake()
        await db.close()

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    await all_sent(trial)

    sent = await on_the_bus(trial)
    assert len(sent) == len(committed)
    assert set(sent) == committed
    for writer in range(WRITERS):
        mine = [name for name in sent if name.startswith(f"{writer}/")]
        assert mine == sorted(mine, key=lambda name: [int(part) for part in name.split("/")])


async def test_an_event_that_is_put_again_is_sent_once(trial: Trial, relay: outbox.Relay) -> None:
    await put(trial, "a", "b")
    await all_sent(trial)
    await put(trial, "b", "c")
    await all_sent(trial)

    assert await on_the_bus(trial) == ["a", "b", "c"]


async def test_a_relay_whose_session_is_cut_goes_on(trial: Trial, relay: outbox.Relay) -> None:
    await put(trial, "a")
    await all_sent(trial)

    await trial.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", SESSION)
    await put(trial, "b")
    await all_sent(trial)

    assert await on_the_bus(trial) == ["a", "b"]


SESSION = f"{NAME}.relay"
SESSIONS = "SELECT pid, client_port AS port FROM pg_stat_activity WHERE application_name = $1"
HOLDER = """
    SELECT pid, client_port AS port FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND application_name = $1
"""


@pytest.fixture
def start(trial: Trial) -> Iterator[Start]:
    """Starts relays in processes of their own, and ends them all."""
    started: list[psutil.Popen] = []

    def one() -> psutil.Popen:
        command = [sys.executable, "-m", "tests.journeys.relay", trial.dsn(), trial.kafka, NAME]
        started.append(psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.wait()


async def sessions(trial: Trial, query: str, count: int) -> dict[int, int]:
    """Backends of relays and the ports they are spoken to from, once there are so many."""

    async def ask() -> dict[int, int]:
        return {row["pid"]: row["port"] for row in await trial.sql(query, SESSION)}

    found: dict[int, int] = await until(ask, lambda pids: len(pids) == count)
    return found


async def two_relays(trial: Trial, start: Start) -> list[psutil.Popen]:
    """One at work, and one that stands by."""
    first = start()
    await sessions(trial, HOLDER, 1)
    second = start()
    await sessions(trial, SESSIONS, 2)
    await put(trial, "a")
    await all_sent(trial)
    return [first, second]


async def freeze_the_holder(trial: Trial, relays: Sequence[psutil.Popen]) -> psutil.Popen:
    """Stops the process that has the lock."""
    ((_, port),) = (await sessions(trial, HOLDER, 1)).items()
    (holder,) = [each for each in relays if port in {c.laddr.port for c in each.net_connections("tcp")}]
    holder.suspend()
    return holder


async def nobody_sends_for_a_frozen_holder(trial: Trial, relays: Sequence[psutil.Popen]) -> None:
    """What is put now waits until the frozen one's session is cut, for whoever has no lock must not send."""
    await freeze_the_holder(trial, relays)
    await put(trial, "last")
    await asyncio.sleep(1.5)  # less than a frozen holder keeps its lock
    assert await unsent(trial) == 1
    await all_sent(trial)


async def test_a_relay_that_is_killed_is_followed_by_the_other(trial: Trial, start: Start) -> None:
    first, _ = await two_relays(trial, start)

    first.kill()
    await put(trial, "b")
    await all_sent(trial)

    assert await on_the_bus(trial) == ["a", "b"]


async def test_a_frozen_relay_is_followed_by_the_other_and_waits_when_it_wakes(trial: Trial, start: Start) -> None:
    relays = await two_relays(trial, start)

    frozen = await freeze_the_holder(trial, relays)
    await put(trial, "b")
    await all_sent(trial)
    frozen.resume()
    await sessions(trial, SESSIONS, 2)

    await nobody_sends_for_a_frozen_holder(trial, relays)
    assert await on_the_bus(trial) == ["a", "b", "last"]


async def test_a_relay_whose_session_was_cut_has_lost_its_lock_too(trial: Trial, start: Start) -> None:
    relays = await two_relays(trial, start)

    for _ in range(5):
        await trial.sql(f"SELECT pg_terminate_backend(pid) FROM ({HOLDER}) AS holder", SESSION)
        await sessions(trial, SESSIONS, 2)

    await nobody_sends_for_a_frozen_holder(trial, relays)
    assert await on_the_bus(trial) == ["a", "last"]
