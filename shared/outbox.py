"""Events leave in the transaction of their cause, and reach the broker at least once, in order of their key."""

import asyncio
from collections.abc import Sequence

import asyncpg
from aiokafka.errors import KafkaError

from shared import faults, telemetry, tracing
from shared.database import Connection, Line
from shared.events.event import Event
from shared.producer import Producer, Record, TooLarge
from shared.statements import statements
from shared.topics import Topic

_SQL = statements("shared")
PUT = _SQL["put_out"]
CLAIM = _SQL["claim_outgoing"]
MARK = _SQL["mark_sent"]
STATE = _SQL["outbox_state"]

BATCH = 500
POLL_S = 0.05
FROZEN_AFTER = "15s"  # of silence a holder loses its session, and with it the lock


async def put(db: Connection, topic: Topic, events: Sequence[Event]) -> None:
    """Says events on a topic, once the transaction commits."""
    if events:
        await db.execute(
            PUT,
            [event.id for event in events],
            topic.name,
            [topic.key(event) for event in events],
            [event.wire() for event in events],
        )


class Relay:
    """Sends what the outbox holds; one a service at work, under an advisory lock, the others stand by."""

    def __init__(self, dsn: str, service: str, producer: Producer) -> None:
        self._line = Line(dsn, f"{service}.relay", idle_session_timeout=FROZEN_AFTER)
        self._service, self._producer = service, producer
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A commit of this process may have left something."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; whatever fails is tried again."""
        pause = 0.1
        while True:
            try:
                db = await self._stand_by()
                while True:
                    if await self._pass(db) < BATCH:
                        await self._wait()
                    pause = 0.1
            except asyncio.CancelledError:
                await self._line.close()
                raise
            except Exception as error:
                telemetry.log.warning("relay_failed", error=type(error).__name__, detail=str(error)[:200])
                self._line.drop()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _stand_by(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The session that holds the lock: when it is cut the lock is lost, so no other may do its work."""
        while True:
            db = await self._line.get()
            if await db.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", f"fengsui.relay.{self._service}"):
                return db
            await asyncio.sleep(1)

    async def _pass(self, db: "asyncpg.Connection[asyncpg.Record]") -> int:
        async with db.transaction():
            rows = await db.fetch(CLAIM, BATCH)
            if not rows:
                return 0
            faults.point("relay.before_send")
            with tracing.relay(rows):
                outcomes = await self._producer.send(
                    [Record(row["topic"], row["key"].encode(), row["body"]) for row in rows]
                )
            faults.point("relay.after_ack")
            acknowledged = in_order([(row["topic"], row["key"]) for row in rows], outcomes)
            await db.execute(MARK, [rows[place]["seq"] for place in acknowledged])
        faults.point("relay.after_mark")
        for place in acknowledged:
            telemetry.EVENTS_OUT.labels(rows[place]["topic"]).inc()
        if len(acknowledged) < len(rows):
            failed = next(outcome for outcome in outcomes if outcome is not None)
            if isinstance(failed, TooLarge):  # the table's CHECK forbids it
                raise failed
            raise KafkaError(f"{len(rows) - len(acknowledged)} of {len(rows)} not acknowledged: {failed}")
        return len(rows)


def in_order(keys: Sequence[tuple[str, str]], outcomes: Sequence[Exception | None]) -> list[int]:
    """Places of the acknowledged records that no failed one of the same key stands before."""
    broken: set[tuple[str, str]] = set()
    good = []
    for place, (key, outcome) in enumerate(zip(keys, outcomes, strict=True)):
        if outcome is not None:
            broken.add(key)
        elif key not in broken:
            good.append(place)
    return good
