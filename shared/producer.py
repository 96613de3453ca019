"""One object owns the producer and renews it: an idempotent aiokafka producer never heals by itself."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared import telemetry
from shared.topics import PRODUCE_MAX_BYTES

MAX_AGE_S = 24 * 3600  # long before a partition's sequence number wraps at 2^31 records
STUCK_AFTER = 3  # time-outs in a row
IDLE_S = 10.0


class Unsent(Exception):
    """The broker did not acknowledge in time, or refused: whether it has the record is unknown."""


class TooLarge(Exception):
    """The record is larger than the bus takes; found before sending, for a refusal bricks the producer."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent: a key is obligatory, for it keeps the order."""

    topic: str
    key: bytes
    value: bytes


class Producer:
    """Sends batches and tells of each record whether the broker has it."""

    def __init__(self, bootstrap: str, name: str, timeout: float = 5.0) -> None:
        self._bootstrap, self._name, self._timeout = bootstrap, name, timeout
        self._producer: AIOKafkaProducer | None = None
        self._made_at = 0.0
        self._timeouts, self._judged_at = 0, 0.0
        self._making = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Whether there is a producer that was not found broken."""
        return self._producer is not None and self._timeouts == 0

    async def keep(self) -> None:
        """As `start`; one that timed out and has sent nothing since is made anew: nothing else would tell that the
        broker answers again, and who only stands by would not be ready for ever."""
        if self._timeouts and time.monotonic() - self._judged_at > IDLE_S:
            self._renew("timeout")
        await self.start()

    async def start(self) -> None:
        """Makes a producer unless there is one; raises KafkaError or TimeoutError."""
        async with self._making:
            if self._producer is not None:
                return
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._name,
                acks="all",
                enable_idempotence=True,
                max_batch_size=256 * 1024,
                max_request_size=PRODUCE_MAX_BYTES,
                request_timeout_ms=int(self._timeout * 1000),
            )
            try:
                async with asyncio.timeout(self._timeout):
                    await producer.start()
            except BaseException:
                self._retire(producer)
                raise
            self._producer, self._made_at, self._timeouts = producer, time.monotonic(), 0

    async def stop(self) -> None:
        """Flushes what is under way, within the time-out."""
        if self._producer is not None:
            self._retire(self._producer)
            self._producer = None
        if self._retired:
            await asyncio.wait(self._retired, timeout=self._timeout + 1)

    async def send(self, records: Sequence[Record]) -> list[Exception | None]:
        """What became of each record: None when the broker acknowledged it, else Unsent or TooLarge."""
        if self._producer is not None and time.monotonic() - self._made_at > MAX_AGE_S:
            self._renew("age")
        outcome: list[Exception | None] = [None] * len(records)
        under_way: dict[asyncio.Future[object], int] = {}
        started = time.perf_counter()
        failure: str | None = None
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._timeout):
                await self.start()
                producer = self._producer  # this one to the end: another send may renew meanwhile
                for place, record in enumerate(records):
                    if len(record.key) + len(record.value) > PRODUCE_MAX_BYTES - 1024:
                        outcome[place] = TooLarge(f"{len(record.value)} bytes")
                        continue
                    assert producer is not None
                    future = await producer.send(record.topic, record.value, key=record.key)
                    under_way[future] = place
                if under_way:
                    await asyncio.wait(under_way)
        except TimeoutError:
            failure = "timeout"
        except KafkaError:
            failure = "error"
        sent = set(under_way.values())
        for place in range(len(records)):
            if place not in sent and outcome[place] is None:
                outcome[place] = Unsent("not handed to the broker")
        for future, place in under_way.items():
            outcome[place], fatal = _answer(future)
            failure = "error" if fatal else failure
        if producer is self._producer:
            self._judge(failure)
        telemetry.SEND_SECONDS.observe(time.perf_counter() - started)
        return outcome

    def _judge(self, failure: str | None) -> None:
        self._judged_at = time.monotonic()
        if failure is None:
            self._timeouts = 0
        elif failure == "error":
            self._renew("error")
        else:
            self._timeouts += 1
            if self._timeouts >= STUCK_AFTER:
                self._renew("timeout")

    def _renew(self, cause: str) -> None:
        if self._producer is not None:
            telemetry.PRODUCER_RENEWALS.labels(cause).inc()
            telemetry.log.warning("producer_renewed", cause=cause)
            self._retire(self._producer)
            self._producer = None

    def _retire(self, producer: AIOKafkaProducer) -> None:
        """Closes an old one aside, for closing waits for answers that may never come."""

        async def close() -> None:
            with suppress(Exception):
                await asyncio.wait_for(producer.stop(), self._timeout)

        task = asyncio.create_task(close())
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)


def _answer(future: asyncio.Future[object]) -> tuple[Unsent | None, bool]:
    """What became of a record that was handed over, and whether the producer is done for."""
    if not future.done():
        future.add_done_callback(lambda late: late.cancelled() or late.exception())
        return Unsent("no answer in time"), False
    error = future.exception()
    return (Unsent(type(error).__name__), not getattr(error, "retriable", False)) if error else (None, False)
