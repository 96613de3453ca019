"""The one way to consume: a batch is one transaction that holds its effects and its position.

The framework below may swallow a batch, deliver records before a seek, or wake as a zombie after a
rebalance; a position that moves only from what was expected makes each of these harmless.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import KafkaAckableMessage
from pydantic import ValidationError

from shared import deadletters, faults, inbox, telemetry
from shared.database import Connection, Kind, Line, kind_of
from shared.deadletters import DeadLetter
from shared.events.event import Event
from shared.log_identity import identify
from shared.statements import statements
from shared.topics import Topic

_SQL = statements("shared")
POSITIONS = _SQL["positions"]
BEGIN = _SQL["begin_positions"]
MOVE = _SQL["move_positions"]
SKIP_GAP = _SQL["skip_gap"]
RECORD_GAP = _SQL["record_gap"]
STOP = _SQL["stop_partition"]

MAX_RECORDS = 500
BATCH_TIMEOUT_MS = 25  # after an empty poll FastStream sleeps that long
POISON_COUNT, POISON_SHARE, POISON_WINDOW = 20, 0.05, 1000
STUCK_S = 60.0
REVIEW_S = 2.0

Held = Mapping[UUID, str]
Handler = Callable[[Connection, Sequence[Any]], Awaitable[Held | None]]


@dataclass(frozen=True)
class Taking:
    """A handler and the topic it takes. It sees a transaction and new, valid events, and nothing else.

    It returns the ids of events that have no effect, each with the reason."""

    topic: Topic
    handle: Handler


def takes(topic: Topic) -> Callable[[Handler], Taking]:
    """Declares the handler of a topic."""
    return lambda handle: Taking(topic, handle)


class ChainBroken(Exception):
    """The position is not where this batch begins: another has moved it, or we read too early."""


class TooPoisonous(Exception):
    """So many records are refused that the fault is likelier ours than theirs."""


class State(StrEnum):
    """Of a partition in this process."""

    CLOSED = "closed"  # not read until its position is known
    OPEN = "open"
    STOPPED = "stopped"  # a person must look


@dataclass
class Partition:
    """What this process knows of a partition while it is assigned."""

    state: State = State.CLOSED
    expected: int = -1
    verify: bytes | None = None
    """Fingerprint that the record before `expected` must have; it is read first, and dropped."""
    hole: tuple[int, int] | None = None
    """A gap in the offsets that was met once."""
    retry_at: float = 0.0
    failures: int = 0
    reason: str | None = None
    refused: deque[bool] = field(default_factory=lambda: deque(maxlen=POISON_WINDOW))
    delivered_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Run:
    """Contiguous records of one partition, from what is expected."""

    partition: int
    expected: int
    records: tuple[ConsumerRecord, ...]

    @property
    def next(self) -> int:
        return int(self.records[-1].offset) + 1


@dataclass
class Batch:
    """A batch on its way through one transaction."""

    events: list[tuple[ConsumerRecord, Event]]
    dead: list[DeadLetter]
    ignored: int = 0
    duplicates: int = 0


def fingerprint(record: ConsumerRecord) -> bytes:
    """By which a record is known again."""
    return blake2b((record.key or b"") + b"\0" + (record.value or b""), digest_size=16).digest()


def halves(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """A batch in two, each still contiguous; at least two records are needed."""
    left, right, room = [], [], sum(len(run.records) for run in runs) // 2
    for run in runs:
        first, rest = run.records[:room], run.records[room:]
        room -= len(first)
        if first:
            left.append(Run(run.partition, run.expected, first))
        if rest:
            right.append(Run(run.partition, int(first[-1].offset) + 1 if first else run.expected, rest))
    return left, right


def parse(topic: Topic, records: Sequence[ConsumerRecord]) -> Batch:
    """Sorts records into events and dead letters; never raises."""
    batch = Batch([], [])
    known: dict[UUID, Event] = {}
    for record in records:
        if record.value is None:
            batch.dead.append(DeadLetter(record, "null_value", "the record has no value"))
            continue
        try:
            event = topic.reader.validate_json(record.value)
        except ValidationError as error:
            if all(
                fault["type"] in {"union_tag_invalid", "literal_error"} and fault["loc"][-1:] in ((), ("type",))
                for fault in error.errors(include_url=False)
            ):
                batch.ignored += 1  # a kind that a newer writer says and this reader does not know
            else:
                first = error.errors(include_url=False, include_input=False)[0]
                place = "/".join(map(str, first["loc"]))
                batch.dead.append(DeadLetter(record, "unreadable", f"{place}: {first['msg']}"))
            continue
        earlier = None if isinstance(event, topic.unnamed) else known.get(event.id)
        if earlier is None:
            known[event.id] = event
            batch.events.append((record, event))
        elif earlier.digest != event.digest:
            batch.dead.append(_reused(record, event))
        else:
            batch.duplicates += 1
    return batch


def _reused(record: ConsumerRecord, event: Event) -> DeadLetter:
    detail = f"{event.source} {event.pushid or event.id} came before with other content"
    return DeadLetter(record, "id_reused", detail, event.id, inbox.origin_of(event))


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]
    """One topic as one service takes it in."""

    def __init__(self, service: str, taking: Taking, dsn: str, committed: Callable[[], None]) -> None:
        self.topic = taking.topic
        self._handle = taking.handle
        self._committed = committed
        self._line = Line(dsn, f"{service}.{self.topic.name}")
        self._group = f"{service}.{self.topic.name}"
        self._partitions: dict[int, Partition] = {}
        self._wake = asyncio.Event()
        self._subscriber: Any = None
        telemetry.start_topic(self.topic.name)

    # What the framework calls

    def subscribe(self, broker: KafkaBroker) -> None:
        """Declares the subscriber: raw bytes, no commit, nothing before the seek."""
        self._partitions = {}
        self._subscriber = broker.subscriber(
            self.topic.name,
            group_id=self._group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="none",
            max_records=MAX_RECORDS,
            batch_timeout_ms=BATCH_TIMEOUT_MS,
            listener=self,
            parser=self._parser,
            decoder=self._decoder,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            fetch_max_wait_ms=100,
        )
        self._subscriber(self._take_all)

    async def _parser(self, raw: Any) -> KafkaAckableMessage:
        return KafkaAckableMessage(
            body=b"", headers={}, raw_message=raw, consumer=self._consumer, message_id="-", correlation_id="-"
        )

    async def _decoder(self, _message: Any) -> bytes:
        return b""

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        return self._subscriber.consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forgets; a batch under way fails at the chain if another has moved on."""
        self._partitions = {}

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Only marks. Nothing may be awaited here: records would flow before the seek."""
        faults.point("consumer.in_listener")
        self._partitions = {tp.partition: Partition() for tp in assigned}
        if assigned:
            self._consumer.pause(*assigned)
            for tp in assigned:
                self._consumer.seek(tp, 0)  # any offset: without one the framework sleeps five seconds
        self._wake.set()

    async def _take_all(self, body: bytes, message: KafkaMessage) -> None:
        raw = message.raw_message
        try:
            faults.point("consumer.after_fetch")
            await self._take(raw if isinstance(raw, tuple) else (raw,))
        except Exception as error:  # never return without commit or seek back
            self._failed({int(record.partition) for record in raw}, error)

    # From records to effects

    async def _take(self, records: tuple[ConsumerRecord, ...]) -> None:
        runs = self._runs(records)
        if runs:
            await self._process(runs)

    def _runs(self, records: tuple[ConsumerRecord, ...]) -> list[Run]:
        """The records that may be taken; what comes before the seek, twice or after a hole is put back."""
        by_partition: dict[int, list[ConsumerRecord]] = {}
        for record in records:
            by_partition.setdefault(int(record.partition), []).append(record)
        runs = []
        for number, found in sorted(by_partition.items()):
            part = self._partitions.get(number)
            if part is None or part.state is not State.OPEN:
                continue
            part.delivered_at = time.monotonic()
            usable = self._verified(number, part, found)
            if usable and not self.topic.compacted:
                usable = self._contiguous(number, part, usable)
            if usable:
                runs.append(Run(number, part.expected, tuple(usable)))
        return runs

    def _verified(self, number: int, part: Partition, found: list[ConsumerRecord]) -> list[ConsumerRecord]:
        wanted, part.verify = part.verify, None
        if wanted is None or found[0].offset != part.expected - 1:
            return found
        if fingerprint(found[0]) == wanted:
            return found[1:]
        self._stop_soon(
            number,
            f"the record at offset {part.expected - 1} is not the one that was read there: "
            "the broker was restored or the topic was made again",
        )
        return []

    def _contiguous(self, number: int, part: Partition, found: list[ConsumerRecord]) -> list[ConsumerRecord]:
        if found[0].offset == part.expected and found[-1].offset - found[0].offset == len(found) - 1:
            return found
        wanted = part.expected
        for place, record in enumerate(found):
            if record.offset != wanted:
                hole = (wanted, int(record.offset))
                if part.hole == hole and hole[1] > hole[0]:
                    lost = f"records {hole[0]} to {hole[1] - 1} are missing from the log"
                    self._stop_soon(number, lost)
                else:
                    part.hole = hole
                    if place == 0:
                        self._close(number)
                    # Otherwise what stands before the hole is taken now, and the next batch begins at it.
                return found[:place]
            wanted += 1
        return found

    async def _process(self, runs: Sequence[Run], blame: Exception | None = None) -> None:
        """One transaction; on an error in the data halves until the culprit stands alone."""
        size = sum(len(run.records) for run in runs)
        try:
            with telemetry.BATCH_SECONDS.labels(self.topic.name).time():
                await self._commit(runs, blame)
        except ChainBroken as error:
            self._failed({run.partition for run in runs}, error)
        except Exception as error:
            data = isinstance(error, TooPoisonous) or kind_of(error) is Kind.DATA
            if not data or isinstance(error, KafkaError | faults.Injected):
                self._failed({run.partition for run in runs}, error)
            elif size > 1:
                telemetry.BATCH_FAILURES.labels(self.topic.name, "data").inc()
                for half in halves(runs):
                    still = [run for run in half if self._is_open(run)]
                    if still:
                        await self._process(still)
            elif isinstance(error, TooPoisonous):
                await self._stop(runs[0].partition, str(error))
            elif blame is None:
                await self._process(runs, blame=error)
            else:  # even the dead letter cannot be written
                self._failed({runs[0].partition}, error)

    def _is_open(self, run: Run) -> bool:
        part = self._partitions.get(run.partition)
        return part is not None and part.state is State.OPEN and part.expected == run.expected

    async def _commit(self, runs: Sequence[Run], blame: Exception | None) -> None:
        records = [record for run in runs for record in run.records]
        batch = parse(self.topic, records)
        if blame is not None and batch.events:
            ((record, event),) = batch.events
            detail = f"{type(blame).__name__}: {blame}"
            batch.dead.append(DeadLetter(record, "refused", detail, event.id, inbox.origin_of(event)))
            batch.events.clear()
        held: Held = {}
        async with self._line.transaction() as db:
            await self._move(db, runs)
            new = await self._new_events(db, batch)
            self._judge_poison(batch.dead, runs)
            faults.point("consumer.in_transaction")
            if new:
                held = await self._handle(db, new) or {}
                await inbox.hold(db, held)
            await deadletters.bury(db, self.topic.name, batch.dead)
            faults.point("consumer.before_commit")
        faults.point("consumer.after_commit")
        self._moved(runs, batch.dead)
        deadletters.count(self.topic.name, batch.dead)
        self._count(batch, len(new), len(held), len(records))
        self._committed()

    async def _move(self, db: Connection, runs: Sequence[Run]) -> None:
        moved = await db.fetch(
            MOVE,
            self.topic.name,
            [run.partition for run in runs],
            [run.expected for run in runs],
            [run.next for run in runs],
            [fingerprint(run.records[-1]) for run in runs],
        )
        if len(moved) != len(runs):
            raise ChainBroken(self.topic.name)

    async def _new_events(self, db: Connection, batch: Batch) -> list[Event]:
        named = [(record, event) for record, event in batch.events if not isinstance(event, self.topic.unnamed)]
        if not named:
            return [event for _, event in batch.events]
        taken = await inbox.take_in(db, [event for _, event in named])
        batch.dead += [_reused(record, event) for record, event in named if event.id in taken.reused]
        batch.duplicates += len(named) - len(taken.new) - len(taken.reused)
        known = {event.id for _, event in named} - taken.new
        return [event for _, event in batch.events if event.id not in known]

    def _judge_poison(self, dead: Sequence[DeadLetter], runs: Sequence[Run]) -> None:
        """A bad deploy must not drain a topic into the dead letters."""
        for run in runs:
            part = self._partitions.get(run.partition)
            bad = sum(letter.record.partition == run.partition for letter in dead)
            if part is None or not bad:
                continue
            count = sum(part.refused) + bad
            seen = min(len(part.refused) + len(run.records), POISON_WINDOW)
            if count > POISON_COUNT and count > POISON_SHARE * seen:
                raise TooPoisonous(
                    f"{count} of the last {seen} records were refused, the last with: {dead[-1].detail[:300]}"
                )

    def _moved(self, runs: Sequence[Run], dead: Sequence[DeadLetter]) -> None:
        refused = {(letter.record.partition, letter.record.offset) for letter in dead}
        for run in runs:
            if part := self._partitions.get(run.partition):
                part.expected, part.failures, part.hole = run.next, 0, None
                part.refused.extend((r.partition, r.offset) in refused for r in run.records)

    def _count(self, batch: Batch, new: int, held: int, size: int) -> None:
        counted = {
            "done": new - held,
            "held": held,
            "duplicate": batch.duplicates,
            "dead": len(batch.dead),
            "ignored": batch.ignored,
        }
        for outcome, number in counted.items():
            if number:
                telemetry.EVENTS_IN.labels(self.topic.name, outcome).inc(number)
        telemetry.log.debug("batch_taken", topic=self.topic.name, records=size, **counted)

    # When something fails

    def _failed(self, numbers: set[int], error: Exception) -> None:
        """Closes the partitions; the opener reads the position again, which tells whether it committed."""
        kind = "chain" if isinstance(error, ChainBroken) else kind_of(error).value
        telemetry.BATCH_FAILURES.labels(self.topic.name, kind).inc()
        for number in numbers:
            if part := self._partitions.get(number):
                part.failures += 1
                pause = 0.0 if kind == "chain" and part.failures < 3 else min(0.05 * 2**part.failures, 5.0)
                part.retry_at = time.monotonic() + pause
                part.reason = None if kind == "chain" else f"{type(error).__name__}: {error}"[:300]
            self._close(number)
        telemetry.log.warning(
            "batch_failed",
            topic=self.topic.name,
            kind=kind,
            error=type(error).__name__,
            detail=str(error)[:300],
        )

    def _close(self, number: int) -> None:
        part = self._partitions.get(number)
        if part is not None:
            part.state = State.CLOSED if part.state is State.OPEN else part.state
            tp = TopicPartition(self.topic.name, number)
            if self._consumer is not None and tp in self._consumer.assignment():
                self._consumer.pause(tp)
        self._wake.set()

    def _stop_soon(self, number: int, reason: str) -> None:
        part = self._partitions[number]
        part.state, part.reason = State.STOPPED, reason
        self._close(number)
        telemetry.log.error("partition_stopped", topic=self.topic.name, partition=number, reason=reason)

    async def _stop(self, number: int, reason: str) -> None:
        """Stops for good: the row says so, for a restart must not go on either."""
        self._stop_soon(number, reason)
        async with self._line.transaction() as db:
            await db.execute(STOP, self.topic.name, number, reason)

    # Opening partitions

    async def run(self) -> None:
        """Opens what is closed, measures lag, and ends the process when nothing moves. Until cancelled."""
        line = Line(self._line._dsn, f"{self._group}.opener")
        try:
            while True:
                try:
                    await self._review(line)
                except (KafkaError, OSError, TimeoutError) as error:
                    telemetry.log.warning("open_failed", topic=self.topic.name, error=type(error).__name__)
                    await asyncio.sleep(0.5)
                except Exception as error:
                    telemetry.log.warning(
                        "open_failed",
                        topic=self.topic.name,
                        error=type(error).__name__,
                        detail=str(error)[:300],
                    )
                    line.drop()
                    self._explain(error)
                    await asyncio.sleep(0.5)
                try:
                    async with asyncio.timeout(self._until_next()):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
        finally:
            await line.close()
            await self._line.close()

    def _explain(self, error: Exception) -> None:
        for part in self._partitions.values():
            if part.state is State.CLOSED:
                part.reason = f"{type(error).__name__}: {error}"[:300]

    def _until_next(self) -> float:
        closed = [p.retry_at for p in self._partitions.values() if p.state is State.CLOSED]
        return max(0.02, min([REVIEW_S, *(at - time.monotonic() for at in closed)]))

    async def _review(self, line: Line) -> None:
        if self._subscriber is None or self._consumer is None or not self._partitions:
            return
        mine = self._partitions
        numbers = sorted(mine)
        tps = [TopicPartition(self.topic.name, number) for number in numbers]
        ends = {tp.partition: end for tp, end in (await self._consumer.end_offsets(tps)).items()}
        starts = {tp.partition: start for tp, start in (await self._consumer.beginning_offsets(tps)).items()}
        now = time.monotonic()
        for number, part in mine.items():
            if part.state is State.OPEN and starts[number] > part.expected and not self.topic.compacted:
                self._close(number)  # retention overtook us
        due = [n for n, p in mine.items() if p.state is not State.OPEN and p.retry_at <= now]
        if due and mine is self._partitions:
            await self._open(line, mine, due, starts, ends)
        self._measure(mine, ends)

    async def _open(
        self,
        line: Line,
        mine: dict[int, Partition],
        due: list[int],
        starts: Mapping[int, int],
        ends: Mapping[int, int],
    ) -> None:
        identity = await identify(self._consumer._client, self.topic.name)
        db = await line.get()
        rows = {row["partition"]: row for row in await db.fetch(POSITIONS, self.topic.name, due)}
        fresh = [number for number in due if number not in rows]
        if fresh:
            begin = [starts[number] for number in fresh]
            await db.execute(BEGIN, self.topic.name, fresh, begin, identity.cluster, identity.topic_id)
            rows |= {row["partition"]: row for row in await db.fetch(POSITIONS, self.topic.name, fresh)}
        for number in due:
            row, start, end = rows[number], starts[number], ends[number]
            reason = row["stopped"]
            if (row["cluster"], row["topic_id"]) != (identity.cluster, identity.topic_id):
                reason = "the topic was made again, or this is another cluster: its offsets mean nothing here"
            elif row["next"] > end:
                reason = f"the log ends at {end}, but {row['next']} was read: the broker was restored"
            elif identity.partitions != self.topic.partitions:
                reason = f"the topic has {identity.partitions} partitions instead of {self.topic.partitions}"
            next_offset = row["next"]
            if reason is None and start > next_offset and not self.topic.compacted:
                next_offset = await self._over_gap(line, number, next_offset, start)
            if mine is not self._partitions:
                return  # a rebalance came between: begin again
            part = mine[number]
            if reason is not None:
                if part.state is not State.STOPPED or part.reason is None:
                    self._stop_soon(number, reason)
                part.retry_at = time.monotonic() + REVIEW_S
                continue
            fits = row["last_record"] is not None and next_offset == row["next"] and next_offset - 1 >= start
            part.expected = next_offset
            part.verify = row["last_record"] if fits else None
            part.state, part.reason, part.delivered_at = State.OPEN, None, time.monotonic()
            tp = TopicPartition(self.topic.name, number)
            self._consumer.seek(tp, next_offset - 1 if fits else next_offset)
            self._consumer.resume(tp)

    async def _over_gap(self, line: Line, number: int, next_offset: int, start: int) -> int:
        lost = start - next_offset
        async with line.transaction() as db:
            if not await db.fetch(SKIP_GAP, self.topic.name, number, next_offset, start):
                raise ChainBroken(self.topic.name)
            await db.execute(RECORD_GAP, self.topic.name, number, next_offset, lost)
        telemetry.GAP_RECORDS.labels(self.topic.name).inc(lost)
        telemetry.log.error(
            "records_lost_to_retention",
            topic=self.topic.name,
            partition=number,
            first=next_offset,
            count=lost,
        )
        return start

    # What can be seen from outside

    def _measure(self, mine: Mapping[int, Partition], ends: Mapping[int, int]) -> None:
        known = {number: max(0, ends[number] - part.expected) for number, part in mine.items() if part.expected >= 0}
        telemetry.LAG.labels(self.topic.name).set(sum(known.values()))
        for state in State:
            count = sum(part.state is state for part in mine.values())
            telemetry.PARTITIONS.labels(self.topic.name, state.value).set(count)
        now = time.monotonic()
        for number, part in mine.items():
            waiting = part.state is State.OPEN and known.get(number, 0) > 0
            if not waiting:
                part.delivered_at = now
            elif now - part.delivered_at > STUCK_S:
                telemetry.log.critical("consumer_stuck", topic=self.topic.name, partition=number)
                os._exit(70)  # a client that looks alive and fetches nothing; the supervisor starts us again

    def reasons(self) -> list[str]:
        """Why this intake cannot do its job now; empty when it can. A stand-by without partitions can."""
        found = []
        for number, part in sorted(self._partitions.items()):
            if part.state is State.STOPPED:
                found.append(
                    f"{self.topic.name}/{number} stopped: {part.reason} — look at `fengsui dead list`, then go on "
                    f"with `fengsui dead resume {self._group.split('.')[0]} {self.topic.name} {number}`"
                )
            elif part.state is State.CLOSED and part.reason:
                found.append(f"{self.topic.name}/{number} waits: {part.reason}")
            elif part.state is State.CLOSED:
                found.append(f"{self.topic.name}/{number} is not read yet")
        return found
