"""What the bus and the database give without us: bare clients, the same records, the same servers."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Consumer, Producer

from bench.speed.system import System
from shared.events.event import NAMESPACE
from shared.statements import statements

PARTITIONS: Final = 12
BATCH: Final = 500
QUIET_S: Final = 20.0
COLUMNS: Final = ("id", "enterprise", "point", "at", "body")

_SQL: Final = statements("bench.speed")
Records = Sequence[tuple[bytes, bytes]]
Rows = Sequence[tuple[UUID, str, str, datetime, bytes]]


async def bare(system: System, records: Records) -> dict[str, float]:
    """Records or rows a second of each bare client; every one has all records acknowledged or committed."""
    found: dict[str, float] = {}
    await _topics(system.kafka.bootstrap, "bench.aiokafka", "bench.librdkafka")
    found["aiokafka_produce"] = await _aiokafka_produce(system.kafka.bootstrap, records)
    found["aiokafka_consume"] = await _aiokafka_consume(system.kafka.bootstrap, len(records))
    found["librdkafka_produce"] = await asyncio.to_thread(_rd_produce, system.kafka.bootstrap, records)
    found["librdkafka_consume"] = await asyncio.to_thread(_rd_consume, system.kafka.bootstrap, len(records))
    found |= await _postgres(system.admin_dsn, records)
    return {name: round(rate, 1) for name, rate in found.items()}


async def _topics(bootstrap: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        for name in names:
            for partition in range(PARTITIONS):  # until each has its leader
                await producer.send_and_wait(name, b"", partition=partition)
    finally:
        await producer.stop()
        await admin.close()


async def _aiokafka_produce(bootstrap: str, records: Records) -> float:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )
    await producer.start()
    began = time.perf_counter()
    for first in range(0, len(records), BATCH):
        part = records[first : first + BATCH]
        await asyncio.wait([await producer.send("bench.aiokafka", value, key=key) for key, value in part])
    seconds = time.perf_counter() - began
    await producer.stop()
    return len(records) / seconds


async def _aiokafka_consume(bootstrap: str, count: int) -> float:
    consumer = AIOKafkaConsumer("bench.aiokafka", bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    began, got = time.perf_counter(), 0
    while got < count:
        got += sum(map(len, (await consumer.getmany(timeout_ms=1000, max_records=BATCH)).values()))
    seconds = time.perf_counter() - began
    await consumer.stop()
    return count / seconds


def _rd_produce(bootstrap: str, records: Records) -> float:
    settings: dict[str, Any] = {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True}
    producer = Producer(settings | {"queue.buffering.max.messages": len(records)})
    began = time.perf_counter()
    for key, value in records:
        producer.produce("bench.librdkafka", value, key)
    producer.flush()
    return len(records) / (time.perf_counter() - began)


def _rd_consume(bootstrap: str, count: int) -> float:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "auto.offset.reset": "earliest"})
    consumer.subscribe(["bench.librdkafka"])
    got, began = 0, time.perf_counter()
    while got < count:
        found = consumer.consume(BATCH, timeout=QUIET_S)
        if not got:
            began = time.perf_counter()  # joining the group is not consuming
        got += len(found)
    seconds = time.perf_counter() - began
    consumer.close()
    return count / seconds


async def _postgres(dsn: str, records: Records) -> dict[str, float]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [(uuid5(NAMESPACE, str(n)), key.decode(), f"T-{n}", at, value) for n, (key, value) in enumerate(records)]
    db = await asyncpg.connect(dsn)
    try:
        found = {}
        for way in (_copy, _unnest):
            await db.execute(_SQL["bare_table"])
            began = time.perf_counter()
            for first in range(0, len(rows), BATCH):
                await way(db, rows[first : first + BATCH])
            found[f"postgres{way.__name__}"] = len(rows) / (time.perf_counter() - began)
        await db.execute(_SQL["drop_bare_table"])
        return found
    finally:
        await db.close()


async def _copy(db: "asyncpg.Connection[asyncpg.Record]", rows: Rows) -> None:
    await db.copy_records_to_table("bare", records=rows, columns=COLUMNS, schema_name="bench")


async def _unnest(db: "asyncpg.Connection[asyncpg.Record]", rows: Rows) -> None:
    await db.execute(_SQL["bare_unnest"], *map(list, zip(*rows, strict=True)))
