"""Hears that something changed, without a group and from the end: it decides nothing, who hears it asks again."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared import telemetry
from shared.topics import Topic

PROBE_S: Final = 2.0
"""How often the broker is asked whether it is there; a client that only listens would never notice."""
PATIENCE_S: Final = 5.0
AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Change:
    """Something of that topic changed there; an empty region is everywhere."""

    topic: str
    region: str = ""
    enterprise: str = ""


class Ear:
    """One listener on some topics; it connects again for ever."""

    def __init__(
        self,
        bootstrap: str,
        topics: Sequence[Topic],
        heard: Callable[[set[Change]], None],
        turned: Callable[[bool], None],
    ) -> None:
        self._bootstrap, self._topics = bootstrap, [topic.name for topic in topics]
        self._heard, self._turned = heard, turned
        self.hears = False

    async def run(self) -> None:
        """Until cancelled. `turned` is told when the bus is lost and when it is there again."""
        while True:
            try:
                await self._listen()
            except (KafkaError, TimeoutError, OSError) as error:
                telemetry.log.warning("live_lost", error=type(error).__name__)
            finally:
                self._turn(False)
            await asyncio.sleep(AGAIN_S)

    async def _listen(self) -> None:
        consumer = AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=self._bootstrap,
            client_id="live",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=500,
            metadata_max_age_ms=30_000,
            request_timeout_ms=10_000,
        )
        try:
            await asyncio.wait_for(consumer.start(), 10)
            places = sorted(consumer.assignment())  # without a group that is every partition
            await asyncio.wait_for(consumer.seek_to_end(*places), 10)
            self._turn(True)
            await _first(self._hear(consumer), _probe(consumer, places))
        finally:
            # Apart: a consumer that lost its broker ends with the cancellation of its own tasks, as if it were ours.
            await asyncio.wait([asyncio.create_task(consumer.stop())], timeout=5)

    async def _hear(self, consumer: Any) -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=5000)
            if changes := {_change(record) for records in fetched.values() for record in records}:
                self._heard(changes)

    def _turn(self, hears: bool) -> None:
        if hears != self.hears:
            self.hears = hears
            self._turned(hears)


async def _probe(consumer: Any, places: Iterable[TopicPartition]) -> None:
    while True:
        await asyncio.wait_for(consumer.end_offsets(list(places)), PATIENCE_S)
        await asyncio.sleep(PROBE_S)


async def _first(*jobs: Coroutine[Any, Any, None]) -> None:
    """Until one of the jobs fails, and with its failure."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _change(record: ConsumerRecord) -> Change:
    """Where a record's change is; one that cannot be read may be anywhere."""
    try:
        event = orjson.loads(record.value or b"{}")
        return Change(record.topic, str(event.get("region", "")), str(event.get("enterprise", "")))
    except (ValueError, AttributeError):
        return Change(record.topic)
