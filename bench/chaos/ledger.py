"""The audit: what was acknowledged against bus, cases, notifications, deliveries and figures, row by row."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from confluent_kafka import Consumer, KafkaError, TopicPartition

from bench.chaos.readings import expected_alarms
from shared.events.event import event_id
from shared.statements import statements
from shared.topics import ALARMS, CASES, NOTIFICATIONS, READINGS, REPORTS, Topic

_SQL: Final = statements("bench.chaos")
CHECKS: Final = {name: query for name, query in _SQL.items() if "__" in name}
"""`stage__column__what`: each answers a row of one text for all that is wrong."""
PREPARE: Final = _SQL["prepare"]
INDEX: Final = _SQL["index"]
HEARD: Final[tuple[Topic, ...]] = (ALARMS, REPORTS, READINGS, CASES, NOTIFICATIONS)
FRAME: Final = "fengsui.frame.v1"
SHOWN: Final = 5
PIECE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows a check found wrong, and the first of them."""

    stage: str
    column: str
    what: str
    wrong: int
    first: tuple[str, ...]


@dataclass
class Balance:
    """The whole audit; clean when nothing is wrong anywhere."""

    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not any(finding.wrong for finding in self.findings)

    @property
    def wrong(self) -> list[Finding]:
        """Only the checks that found something."""
        return [finding for finding in self.findings if finding.wrong]

    def table(self) -> dict[str, dict[str, int]]:
        """Sums by stage and column."""
        sums: dict[str, dict[str, int]] = {}
        for finding in self.findings:
            row = sums.setdefault(finding.stage, {})
            row[finding.column] = row.get(finding.column, 0) + finding.wrong
        return sums


async def audit(admin_dsn: str, kafka: str, folder: Path, received: Path) -> Balance:
    """Fills three temporary tables as streams, so that memory does not grow with the run; then asks each check."""
    db = await asyncpg.connect(admin_dsn, command_timeout=1800)
    try:
        await db.execute(PREPARE)
        await _copy(db, "pushed", pushed(folder / "acknowledged.jsonl"))
        await _copy(
            db,
            "pushed",
            (
                (name, "engine", raised, raised and red)
                for name, raised, red in expected_alarms(folder / "readings.jsonl")
            ),
        )
        await _copy(db, "received", calls(received))
        async for read in _records(kafka):
            await db.copy_records_to_table("bus", records=read.named)
            await db.copy_records_to_table("rubbish", records=read.rubbish)
        await db.execute(INDEX)
        counts = await db.fetchrow(_SQL["counts"])
        assert counts is not None
        return Balance(dict(counts), await check(db))
    finally:
        await db.close()


async def check(db: Any) -> list[Finding]:
    """Every check, on a connection whose temporary tables are filled."""
    return [await _ask(db, name, query) for name, query in CHECKS.items()]


async def _ask(db: Any, name: str, query: str) -> Finding:
    row = await db.fetchrow(
        f"WITH wrong(what) AS MATERIALIZED ({query}) SELECT count(*) AS n, "
        f"(SELECT array_agg(what) FROM (SELECT what FROM wrong LIMIT {SHOWN}) AS f) AS first FROM wrong"
    )
    stage, column, what = name.split("__")
    return Finding(stage, column, what, row["n"], tuple(row["first"] or ()))


def pushed(file: Path) -> Iterator[tuple[UUID, str, bool, bool]]:
    """What was acknowledged: id on the bus, kind, whether it raises, and whether it must stand on a timeline."""
    with file.open("rb") as lines:
        for line in lines:
            given = orjson.loads(line)
            kind = given["type"].split(".")[1]
            raised = given["state"] == "raised"
            serious = kind == "hazard" or (raised and given["level"] in ("red", "orange"))
            yield event_id(given["enterprise"], given["source"], given["id"]), kind, raised, serious


def calls(file: Path) -> Iterator[tuple[int, UUID, UUID, str, str]]:
    """What the receiver wrote down, in its order."""
    if not file.exists():
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            given = orjson.loads(line)
            yield number, UUID(given["id"]), UUID(given["notification"]), given["message"], given["how"]


async def _copy(db: Any, table: str, rows: Iterable[Sequence[Any]]) -> None:
    rows = iter(rows)
    while piece := await asyncio.to_thread(lambda: list(islice(rows, PIECE))):
        await db.copy_records_to_table(table, records=piece)


@dataclass
class Read:
    """A piece of the topics, as rows of `bus` and of `rubbish`."""

    named: list[tuple[Any, ...]] = field(default_factory=list)
    rubbish: list[tuple[str, int, int | None]] = field(default_factory=list)


async def _records(kafka: str) -> AsyncIterator[Read]:
    """All that stands on the topics, but for frames, whose readings have no name."""
    settings = {"group.id": "chaos", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": kafka, **settings})
    try:
        parts = [TopicPartition(topic.name, number, 0) for topic in HEARD for number in range(topic.partitions)]
        consumer.assign(parts)
        ended: set[tuple[str, int]] = set()
        while len(ended) < len(parts):
            yield await asyncio.to_thread(_some, consumer, ended)
    finally:
        consumer.close()


def _some(consumer: Consumer, ended: set[tuple[str, int]]) -> Read:
    read = Read()
    for message in consumer.consume(PIECE, 1.0):
        topic, partition, error = message.topic() or "", message.partition() or 0, message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                ended.add((topic, partition))
            continue
        try:
            said = orjson.loads(message.value() or b"")
            if said["type"] == FRAME:
                continue
            data = said["data"]
            row = (topic, partition, message.offset(), UUID(said["id"]), _aggregate(topic, data), data.get("version"))
            read.named.append(row)
        except (ValueError, KeyError, TypeError, AttributeError):
            read.rubbish.append((topic, partition, message.offset()))
    return read


def _aggregate(topic: str, data: dict[str, Any]) -> UUID | None:
    return UUID(data["case"]) if topic == CASES.name else None


async def under_way(admin_dsn: str, kafka: str) -> dict[str, int]:
    """How much each stage still has to do; empty when all is at rest. A stopped partition will do nothing more."""
    db = await asyncpg.connect(admin_dsn, timeout=10, command_timeout=60)
    try:
        left = {row["stage"]: row["n"] for row in await db.fetch(_SQL["unsettled"])}
        reached = await db.fetch(_SQL["positions"])
    finally:
        await db.close()
    ends = await asyncio.to_thread(_ends, kafka)
    known = {(row["service"], row["topic"], row["partition"]): row for row in reached}
    for service, topics in TAKEN.items():
        for topic in topics:
            waiting = 0
            for number in range(topic.partitions):
                row = known.get((service, topic.name, number))
                if row is None or row["stopped"] is None:
                    waiting += ends[topic.name, number] - (row["next"] if row else 0)
            if waiting:
                left[f"{topic.name} → {service}"] = waiting
    return left


TAKEN: Final[dict[str, tuple[Topic, ...]]] = {
    "ingest": (READINGS,),
    "hazards": (ALARMS, REPORTS, NOTIFICATIONS),
    "notify": (CASES,),
    "reporting": (ALARMS, REPORTS, CASES, NOTIFICATIONS),
}


def _ends(kafka: str) -> dict[tuple[str, int], int]:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "chaos"})
    try:
        return {
            (topic.name, number): consumer.get_watermark_offsets(TopicPartition(topic.name, number), timeout=10)[1]
            for topic in HEARD
            for number in range(topic.partitions)
        }
    finally:
        consumer.close()
