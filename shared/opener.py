"""Opens a partition at its stored position, once it is sure that the log is the one the position counts in."""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from shared import telemetry
from shared.database import Line, ending
from shared.errors import told
from shared.giving_up import give_up
from shared.log_identity import LogIdentity, can_be_asked, identify
from shared.partitions import Partition, State, why_not
from shared.statements import statements

if TYPE_CHECKING:
    from shared.consumer import Intake

_SQL = statements("shared")
POSITIONS = _SQL["positions"]
BEGIN = _SQL["begin_positions"]
SKIP_GAP = _SQL["skip_gap"]
RECORD_GAP = _SQL["record_gap"]

STUCK_S = 60.0
REVIEW_S = 2.0
ANSWER_S = 5.0
REQUEST_S = 15.0  # the client waits so long for the broker: longer than a rebalance may keep it waiting
SILENT_S = 2 * REQUEST_S


class Opener:
    """Reviews an intake's partitions every two seconds, and at once when one was closed.

    A client that looks alive and fetches nothing is no error that could be tried again: the process gives up."""

    def __init__(self, intake: "Intake", dsn: str) -> None:
        self._intake, self._topic = intake, intake.topic
        self._line = Line(dsn, f"{intake.service}.{intake.topic.name}.opener")
        self._woken = asyncio.Event()
        self._identity: LogIdentity | None = None
        self._connections: list[Any] = []
        """The client's, when the log was looked at last; kept, for another may lie where a lost one lay."""
        self._reached: dict[int, int] = {}
        """While nothing is ours: where each position stood, and since when."""
        self._reached_at = 0.0

    def wake(self) -> None:
        """A partition was closed or assigned."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; whatever fails is tried again."""
        try:
            while True:
                try:
                    await self._review()
                    self._intake.fault = None
                except (Exception, asyncio.CancelledError) as error:
                    if ending(error):
                        raise
                    self._explain(error)
                    await asyncio.sleep(0.5)
                await self._rest()
        finally:
            await self._line.close()

    def _explain(self, error: BaseException) -> None:
        detail = f"{type(error).__name__}: {error}"[:300]
        telemetry.log.warning("open_failed", topic=self._topic.name, detail=detail)
        self._reached = {}  # after an outage those who read need time as well
        if not isinstance(error, KafkaError):
            self._line.drop()
        self._intake.fault = told(error)

    async def _rest(self) -> None:
        now = time.monotonic()
        due = [part.retry_at - now for part in self._intake.partitions.values() if part.state is State.CLOSED]
        try:
            async with asyncio.timeout(max(0.02, min([REVIEW_S, *due]))):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _review(self) -> None:
        mine, consumer = self._intake.partitions, self._intake.consumer
        if not can_be_asked(consumer):
            return
        if not self._intake.reading:
            give_up("consumer_ended", topic=self._topic.name)
        if not mine:
            self._measure(mine, {})
            await self._stand_by(consumer)
            return
        self._reached = {}
        tps = [TopicPartition(self._topic.name, number) for number in sorted(mine)]
        reached = {number: part.expected for number, part in mine.items() if part.state is State.OPEN}
        with self._saying_when_slow():
            identity = await identify(consumer._client, self._topic.name)
            ends = await self._offsets(consumer, consumer.end_offsets(tps))
            starts = await self._offsets(consumer, consumer.beginning_offsets(tps))
        if mine is not self._intake.partitions:
            return
        if self._is_another(consumer, identity):  # made again or restored under our hands: offsets alone do not tell
            for number in mine:
                self._intake.close(number)
        now = time.monotonic()
        for number, part in mine.items():
            if part.state is State.OPEN and starts[number] > part.expected and not self._topic.compacted:
                self._intake.close(number)  # retention overtook us
            elif part.state is State.OPEN and ends[number] < reached.get(number, 0):
                self._intake.close(number)  # the log is shorter than what we have read
        due = [number for number, part in mine.items() if part.state is not State.OPEN and part.retry_at <= now]
        if due:
            await self._open(consumer, mine, due, starts, ends, identity)
        self._measure(mine, ends)

    def _is_another(self, consumer: AIOKafkaConsumer, identity: LogIdentity) -> bool:
        """Whether the log may be another one. A restored broker may count its leaders as before, but not without having
        been away: who lost a connection to it proves every partition again."""
        known, self._identity = self._identity, identity
        before, self._connections = self._connections, list(consumer._client._conns.values())
        lost = any(all(one is not other for other in self._connections) for one in before)
        if known is not None and (lost or known != identity):
            self._intake.log_changed()
        return lost or known != identity

    @contextmanager
    def _saying_when_slow(self) -> Iterator[None]:
        """Nothing is cancelled: a client renews a connection that is silent only if its own time-out ends the wait."""
        slow = f"Kafka: no answer for {ANSWER_S:.0f} s"
        saying = asyncio.get_running_loop().call_later(ANSWER_S, setattr, self._intake, "fault", slow)
        try:
            yield
        finally:
            saying.cancel()

    async def _offsets(
        self, consumer: AIOKafkaConsumer, asked: Awaitable[Mapping[TopicPartition, int]]
    ) -> dict[int, int]:
        """By partition. A client that waits for its own metadata waits for ever, and fetches what is open meanwhile."""
        try:
            return {tp.partition: offset for tp, offset in (await asked).items()}
        except KafkaTimeoutError:
            metadata = consumer._client.force_metadata_update()
            if not (await asyncio.wait({metadata}, timeout=SILENT_S))[0]:
                await identify(consumer._client, self._topic.name)  # raises when it is the broker that is silent
                give_up("client_silent", topic=self._topic.name)
            raise

    async def _stand_by(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing is ours. When nobody moves what waits either, the group has lost its readers, and we with them."""
        tps = [TopicPartition(self._topic.name, number) for number in range(self._topic.partitions)]
        with self._saying_when_slow():
            self._is_another(consumer, await identify(consumer._client, self._topic.name))  # one that is away says so
            ends = await self._offsets(consumer, consumer.end_offsets(tps))
        db, now = await self._line.get(), time.monotonic()
        rows = await db.fetch(POSITIONS, self._topic.name, list(ends))
        reached = {number: 0 for number in ends} | {row["partition"]: row["next"] for row in rows}
        stopped = {row["partition"] for row in rows if row["stopped"]}
        waiting = {number for number in ends if number not in stopped and reached[number] < ends[number]}
        if not waiting or reached != self._reached:  # nothing to do, or somebody does it
            self._reached, self._reached_at = reached, now
        elif now - self._reached_at > STUCK_S:
            give_up("nobody_reads", topic=self._topic.name, partitions=len(waiting))

    async def _open(
        self,
        consumer: AIOKafkaConsumer,
        mine: dict[int, Partition],
        due: Sequence[int],
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        identity: LogIdentity,
    ) -> None:
        rows = await self._positions(due, starts, identity)
        for number in due:
            row, start = rows[number], starts[number]
            following = row["next"]
            wrong = why_not(row, identity, ends[number], self._topic.partitions)
            if wrong is None and start > following and not self._topic.compacted:
                following = await self._over_gap(number, following, start)
            if mine is not self._intake.partitions:
                return  # a rebalance came between; what is assigned now is reviewed anew
            part = mine[number]
            if wrong is not None:
                fault, reason = wrong
                if part.state is not State.STOPPED:
                    telemetry.log.error("partition_stopped", topic=self._topic.name, partition=number, reason=reason)
                part.stop(reason, fault)
                part.retry_at = time.monotonic() + REVIEW_S
                continue
            provable = row["last_record"] is not None and following == row["next"] and following > start
            part.open(following, row["last_record"] if provable else None)
            tp = TopicPartition(self._topic.name, number)
            consumer.seek(tp, following - 1 if provable else following)
            consumer.resume(tp)

    async def _positions(
        self, numbers: Sequence[int], starts: Mapping[int, int], identity: LogIdentity
    ) -> dict[int, Any]:
        """Their rows; a partition that was never read begins at the start of its log."""
        db = await self._line.get()
        rows = {row["partition"]: row for row in await db.fetch(POSITIONS, self._topic.name, numbers)}
        fresh = [number for number in numbers if number not in rows]
        if fresh:
            begin = [starts[number] for number in fresh]
            await db.execute(BEGIN, self._topic.name, fresh, begin, identity.cluster, identity.topic_id)
            rows |= {row["partition"]: row for row in await db.fetch(POSITIONS, self._topic.name, fresh)}
        return rows

    async def _over_gap(self, number: int, following: int, start: int) -> int:
        lost = start - following
        async with self._line.transaction() as db:
            if not await db.fetch(SKIP_GAP, self._topic.name, number, following, start):
                raise LookupError("the position moved meanwhile")
            await db.execute(RECORD_GAP, self._topic.name, number, following, lost)
        telemetry.GAP_RECORDS.labels(self._topic.name).inc(lost)
        telemetry.log.error(
            "records_lost_to_retention", topic=self._topic.name, partition=number, first=following, count=lost
        )
        return start

    def _measure(self, mine: Mapping[int, Partition], ends: Mapping[int, int]) -> None:
        lags = {number: max(0, ends[number] - part.expected) for number, part in mine.items() if part.expected >= 0}
        telemetry.LAG.labels(self._topic.name).set(sum(lags.values()))
        for state in State:
            count = sum(part.state is state for part in mine.values())
            telemetry.PARTITIONS.labels(self._topic.name, state.value).set(count)
        now = time.monotonic()
        for number, part in mine.items():
            if part.state is not State.OPEN or not lags.get(number):
                part.delivered_at = now
            elif now - part.delivered_at > STUCK_S:
                give_up("consumer_stuck", topic=self._topic.name, partition=number)
