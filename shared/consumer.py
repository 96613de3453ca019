"""The one way to consume: a batch is one transaction that holds its effects and its position.

The framework below may swallow a batch, deliver records before a seek, or wake as a zombie after a
rebalance; a position that moves only from what was expected makes each of these harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import KafkaAckableMessage

from shared import deadletters, faults, inbox, telemetry, tracing
from shared.batches import Batch, Concern, Run, every, fingerprint, halves, judge_repeats, parse, reused
from shared.database import Connection, Kind, Line, ending, kind_of
from shared.deadletters import DeadLetter
from shared.errors import told
from shared.events.event import Event
from shared.opener import Opener
from shared.partitions import Fault, Partition, State, TooPoisonous, WrongLog
from shared.statements import statements
from shared.topics import Topic

_SQL = statements("shared")
MOVE = _SQL["move_positions"]
STOP = _SQL["stop_partition"]

MAX_RECORDS = 500


class Patience(NamedTuple):
    """How long what comes on a topic may wait, in milliseconds."""

    fetch_ms: int
    """So long may a partition that is being taken wait for the others' empty fetch."""
    poll_ms: int
    """After an empty poll FastStream sleeps that long."""
    rest_ms: int
    """After a batch that was not full: what comes meanwhile is taken together, for most of a batch costs the same
    whether it holds one event or fifty."""


PROMPT = Patience(100, 25, 0)
CALM = Patience(500, 100, 200)
"""For what nobody waits for: it is there within the second, and costs a fifth while little or nothing comes."""

Held = Mapping[UUID, str]
Handler = Callable[[Connection, Sequence[Any]], Awaitable[Held | None]]


@dataclass(frozen=True)
class Taking:
    """A handler and the topic it takes. It sees a transaction and new, valid events, and nothing else.

    It returns the ids of events that have no effect, each with the reason."""

    topic: Topic
    handle: Handler
    concerns: Concern = every
    """Events that are of none leave no row in the inbox, for however often they come they do nothing."""
    patience: Patience = PROMPT


def takes(topic: Topic, concerns: Concern = every, patience: Patience = PROMPT) -> Callable[[Handler], Taking]:
    """Declares the handler of a topic, or of those of its events that are of concern."""
    return lambda handle: Taking(topic, handle, concerns, patience)


class ChainBroken(Exception):
    """The position is not where this batch begins: another has moved it, or we read too early."""


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]
    """One topic as one service takes it in."""

    def __init__(
        self, service: str, taking: Taking, dsn: str, committed: Callable[[], None], member: str | None = None
    ) -> None:
        self.service, self.topic = service, taking.topic
        self.partitions: dict[int, Partition] = {}
        self.fault: str | None = None
        """Why the topic could not be looked at, as it was last tried."""
        self.log_changed: Callable[[], None] = lambda: None
        """Told when the log may be another one than before: what was known to stand there may be gone."""
        self._taking, self._committed = taking, committed
        self._group = f"{service}.{self.topic.name}"
        self._member = f"{self._group}.{member}" if member else None
        self._line = Line(dsn, self._group)
        self._opener = Opener(self, dsn)
        self._subscriber: Any = None
        telemetry.start_topic(self.topic.name)

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The client below, once it is connected."""
        return self._subscriber.consumer if self._subscriber is not None else None

    @property
    def reading(self) -> bool:
        """Whether everything below still runs that fetches, and that keeps us in the group.

        A task there that was cancelled from below ends without a word, and nothing starts it again."""
        consumer, loops = self.consumer, self._subscriber.tasks
        below = []
        if consumer is not None:
            below = [
                consumer._coordinator._coordination_task,
                consumer._fetcher._fetch_task,
                consumer._client._sync_task,
            ]
        return not any(task.done() for task in below) and not (loops and all(task.done() for task in loops))

    async def run(self) -> None:
        """Opens partitions and keeps an eye on them. Until cancelled."""
        try:
            await self._opener.run()
        finally:
            await self._line.close()

    # What the framework calls

    def subscribe(self, broker: KafkaBroker) -> None:
        """Declares the subscriber: raw bytes, no commit, nothing before the seek."""
        self.partitions = {}
        self._subscriber = broker.subscriber(
            self.topic.name,
            group_id=self._group,
            group_instance_id=self._member,  # who comes back at once gets its partitions back at once
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="none",
            max_records=MAX_RECORDS,
            batch_timeout_ms=self._taking.patience.poll_ms,
            listener=self,
            parser=self._parser,
            decoder=self._decoder,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            fetch_max_wait_ms=self._taking.patience.fetch_ms,
        )
        self._subscriber(self._take_all)

    async def _parser(self, raw: Any) -> KafkaAckableMessage:
        return KafkaAckableMessage(
            body=b"", headers={}, raw_message=raw, consumer=self.consumer, message_id="-", correlation_id="-"
        )

    async def _decoder(self, _message: Any) -> bytes:
        return b""

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forgets; a batch under way fails at the chain if another has moved on."""
        self.partitions = {}

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Only marks. Nothing may be awaited here: records would flow before the seek."""
        # Marked before anything can fail, for a listener's failure is only logged, and then nobody would open them.
        self.partitions = {tp.partition: Partition() for tp in assigned}
        self._opener.wake()
        faults.point("consumer.in_listener")
        if assigned and self.consumer is not None:
            self.consumer.pause(*assigned)
            for tp in assigned:
                self.consumer.seek(tp, 0)  # any offset: without one the framework sleeps five seconds

    async def _take_all(self, body: bytes, message: KafkaMessage) -> None:
        raw: Any = message.raw_message
        try:
            faults.point("consumer.after_fetch")
            runs = await self._runs(raw if isinstance(raw, tuple) else (raw,))
            if runs:
                await self._process(runs)
        except (Exception, asyncio.CancelledError) as error:  # never return without commit or seek back
            if ending(error):
                raise
            self._failed({int(record.partition) for record in raw}, error)
        if len(raw) < MAX_RECORDS:
            await asyncio.sleep(self._taking.patience.rest_ms / 1000)

    # From records to effects

    async def _runs(self, records: tuple[ConsumerRecord, ...]) -> list[Run]:
        """The records that may be taken; what comes before the seek, twice or after a hole is put back."""
        by_partition: dict[int, list[ConsumerRecord]] = {}
        for record in records:
            by_partition.setdefault(int(record.partition), []).append(record)
        runs = []
        for number, found in sorted(by_partition.items()):
            part = self.partitions.get(number)
            if part is None or part.state is not State.OPEN:
                continue
            try:
                usable = part.usable(found, gaps_are_normal=self.topic.compacted)
            except WrongLog as error:
                await self.stop(number, str(error), error.fault)
                continue
            if part.state is not State.OPEN:
                self.close(number)
            elif usable:
                runs.append(Run(number, part.expected, tuple(usable)))
        return runs

    async def _process(self, runs: Sequence[Run], blame: Exception | None = None) -> None:
        """One transaction; on an error in the data halves until the culprit stands alone."""
        try:
            with telemetry.BATCH_SECONDS.labels(self.topic.name).time():
                await self._commit(runs, blame)
        except Exception as error:
            if not _in_the_data(error):
                self._failed({run.partition for run in runs}, error)
            elif sum(len(run.records) for run in runs) > 1:
                telemetry.BATCH_FAILURES.labels(self.topic.name, "data").inc()
                for half in halves(runs):
                    if still := [run for run in half if self._is_open(run)]:
                        await self._process(still)
            elif isinstance(error, TooPoisonous):
                await self.stop(runs[0].partition, str(error))
            elif blame is None:
                await self._process(runs, blame=error)
            else:  # even the dead letter cannot be written
                self._failed({runs[0].partition}, error)

    def _is_open(self, run: Run) -> bool:
        part = self.partitions.get(run.partition)
        return part is not None and part.state is State.OPEN and part.expected == run.expected

    async def _commit(self, runs: Sequence[Run], blame: Exception | None) -> None:
        batch = parse(self.topic, [record for run in runs for record in run.records], self._taking.concerns)
        with tracing.take(self.topic.name, batch.events) as span:
            if blame is not None and batch.events:
                ((record, event),) = batch.events
                detail = f"{type(blame).__name__}: {blame}"
                batch.dead.append(DeadLetter(record, "refused", detail, event.id, inbox.origin_of(event)))
                batch.events.clear()
            with span.child("transaction", "client", tracing.DATABASE):
                new, held = await self._take_in(runs, batch)
            span.judge(new, held, batch.dead)
            self._committed_with(runs, batch, len(new), len(held))

    async def _take_in(self, runs: Sequence[Run], batch: Batch) -> tuple[Sequence[Event], Held]:
        held: Held = {}
        async with self._line.transaction() as db:
            await self._move(db, runs)
            new = await self._new_events(db, batch)
            self._judge(batch.dead, runs)
            faults.point("consumer.in_transaction")
            if new:
                held = await self._taking.handle(db, new) or {}
                await inbox.hold(db, held)
            await deadletters.bury(db, self.topic.name, batch.dead)
            faults.point("consumer.before_commit")
        faults.point("consumer.after_commit")
        return new, held

    def _committed_with(self, runs: Sequence[Run], batch: Batch, new: int, held: int) -> None:
        refused = {(letter.record.partition, letter.record.offset) for letter in batch.dead}
        for run in runs:
            if part := self.partitions.get(run.partition):
                part.moved(run.next, [(r.partition, r.offset) in refused for r in run.records])
        deadletters.count(self.topic.name, batch.dead)
        self._count(batch, new, held, sum(len(run.records) for run in runs))
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
        batch.dead += [reused(record, event) for record, event in named if event.id in taken.reused]
        batch.duplicates += len(named) - len(taken.new) - len(taken.reused)
        judge_repeats(batch, taken.digests)
        known = {event.id for _, event in named} - taken.new
        return [event for _, event in batch.events if event.id not in known]

    def _judge(self, dead: Sequence[DeadLetter], runs: Sequence[Run]) -> None:
        for run in runs:
            part = self.partitions.get(run.partition)
            bad = [letter for letter in dead if letter.record.partition == run.partition]
            if part is not None and bad:
                part.judge(len(bad), len(run.records), bad[-1].reason)

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
        telemetry.log.info("batch_taken", topic=self.topic.name, records=size, **counted)

    # When something fails

    def _failed(self, numbers: set[int], error: BaseException) -> None:
        """Closes the partitions; the opener reads the position again, which tells whether it committed."""
        chain = isinstance(error, ChainBroken)
        kind = "chain" if chain else kind_of(error).value
        telemetry.BATCH_FAILURES.labels(self.topic.name, kind).inc()
        detail = f"{type(error).__name__}: {error}"[:300]
        for number in numbers:
            if part := self.partitions.get(number):
                part.failed(None if chain else told(error), at_once=chain)
                self.close(number)
        telemetry.log.warning("batch_failed", topic=self.topic.name, kind=kind, detail=detail)

    def close(self, number: int) -> None:
        """Reads no more of a partition until the opener has found out where it stands."""
        if part := self.partitions.get(number):
            part.close()
        tp = TopicPartition(self.topic.name, number)
        if self.consumer is not None and tp in self.consumer.assignment():
            self.consumer.pause(tp)
        self._opener.wake()

    async def stop(self, number: int, reason: str, fault: Fault = Fault.REFUSED) -> None:
        """Stops a partition for good: the row says so, for a restart must not go on either."""
        telemetry.log.error("partition_stopped", topic=self.topic.name, partition=number, reason=reason)
        if part := self.partitions.get(number):
            part.stop(reason, fault)
        self.close(number)
        async with self._line.transaction() as db:
            await db.execute(STOP, self.topic.name, number, reason, fault)

    def reasons(self) -> list[str]:
        """Why this intake cannot do its job now; empty when it can. A stand-by without partitions can."""
        found = [f"{self.topic.name}: {self.fault}"] if self.fault else []
        for number, part in sorted(self.partitions.items()):
            name = f"{self.topic.name}/{number}"
            if part.state is State.STOPPED:
                way_on = (
                    f"to go on: `fengsui offsets repair --service {self.service} --topic {self.topic.name}`"
                    if part.fault is not Fault.REFUSED
                    else f"see `fengsui dead list --service {self.service}`; "
                    f"to go on: `fengsui dead resume {self.service} {self.topic.name} {number}`"
                )
                found.append(f"{name} stopped: {part.reason}; {way_on}")
            elif part.state is State.CLOSED:
                found.append(f"{name} waits: {part.reason}" if part.reason else f"{name} is not read yet")
        return found


def _in_the_data(error: Exception) -> bool:
    if isinstance(error, ChainBroken | KafkaError | faults.Injected):
        return False
    return isinstance(error, TooPoisonous) or kind_of(error) is Kind.DATA
