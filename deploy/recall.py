"""After a restore of PostgreSQL: what Kafka still knows of the time since the backup is put where the services find it.

What others said is read again by itself, for positions went back with the database. What a service had said by a
person's word or by the clock is read here from its own topic; until it has been taken again, the service holds still.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from deploy.contracts import takings
from deploy.local import walls
from deploy.refusal import Refusal
from services.ingest import store as registry
from shared.events.event import Event
from shared.recovery import REMAINS
from shared.topics import CASES, NOTIFICATIONS, REGISTRY, Topic

RUNNING = "{services} still run on this database: stop them first"
OWN: Final = {"hazards": CASES, "notify": NOTIFICATIONS}
"""By service: where it speaks of what does not follow from what it hears alone."""
EARLIER: Final = timedelta(hours=1)  # two clocks may disagree; what is known already is sorted out by its id
BATCH: Final = 2000

_SAID = "SELECT max(created_at) FROM outbox WHERE sent_at IS NOT NULL"
_RECALL = """INSERT INTO recalled (id, subject, version, own, body)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bool[], $5::bytea[]) AS r(id)
WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.id = r.id) ON CONFLICT (id) DO NOTHING"""
_UNTIL = """INSERT INTO recovery (topic, partition, until) SELECT $1, * FROM unnest($2::int[], $3::bigint[])
ON CONFLICT (topic, partition) DO UPDATE SET until = excluded.until"""


@dataclass(frozen=True, slots=True)
class Recalled:
    """How much a service is given back."""

    service: str
    events: int
    """Its own words since the backup; of ingest, entries of the registry."""
    records: int
    """What it reads again."""


async def recall(kafka: str, admin_dsn: str) -> list[Recalled]:
    """Prepares every service for its start on a restored database; doing it again changes nothing."""
    db = await asyncpg.connect(walls.in_our_database(admin_dsn), timeout=10)
    try:
        await _refuse_company(db)
        await db.execute("SET idle_in_transaction_session_timeout = 0")  # a long topic is read in one transaction
        found = [await _registry(db, kafka)]
        return found + [await _own_words(db, kafka, service) for service in OWN]
    finally:
        await db.close()


async def _refuse_company(db: asyncpg.Connection) -> None:
    asked = "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename = ANY($1::text[]) ORDER BY usename"
    if at_work := [row["usename"] for row in await db.fetch(asked, walls.roles())]:
        raise Refusal(RUNNING.format(services=", ".join(at_work)))


async def _as_owner(db: asyncpg.Connection, service: str) -> None:
    await db.execute(f"SET ROLE {service}_owner; SET search_path = {service}")


async def _registry(db: asyncpg.Connection, kafka: str) -> Recalled:
    """Points must have their newest limits before readings are judged again."""
    async with db.transaction():
        await _as_owner(db, "ingest")
        events = [event async for batch in _read(kafka, REGISTRY, None) for event in batch]
        changed = await registry.recall(db, events)
    await db.execute("RESET ROLE")
    return Recalled("ingest", changed, 0)


async def _own_words(db: asyncpg.Connection, kafka: str, service: str) -> Recalled:
    topic = OWN[service]
    async with db.transaction():
        await _as_owner(db, service)
        said: datetime | None = await db.fetchval(_SAID)
        events = 0
        async for batch in _read(kafka, topic, said and said - EARLIER):
            bodies = [event.wire() for event in batch]
            versions = [getattr(event.data, "version", None) for event in batch]
            own = [event.data.event is None for event in batch]  # no push is behind it
            rows = ([event.id for event in batch], [event.data.case for event in batch], versions, own, bodies)
            events += int((await db.execute(_RECALL, *rows)).split()[-1])
        for heard in (taking.topic for taking in takings(service)):
            ends = {number: end for number, end in (await _ends(kafka, heard)).items() if end}
            await db.execute(_UNTIL, heard.name, list(ends), list(ends.values()))
        remains = await db.fetchrow(REMAINS)
    await db.execute("RESET ROLE")
    return Recalled(service, events, remains["records"] if remains else 0)


def _partitions(topic: Topic) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for number in range(topic.partitions)]


async def _ends(kafka: str, topic: Topic) -> dict[int, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        return {tp.partition: int(end) for tp, end in (await consumer.end_offsets(_partitions(topic))).items()}
    finally:
        await consumer.stop()


async def _read(kafka: str, topic: Topic, since: datetime | None) -> AsyncIterator[Sequence[Any]]:
    """Everything on a topic since a moment of the broker's clock, in batches; what nobody could read is left out."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = _partitions(topic)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        starts = await consumer.beginning_offsets(places)
        if since is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(places, int(since.timestamp() * 1000)))
            starts = {tp: (found[tp].offset if found.get(tp) else ends[tp]) for tp in places}
        for tp in places:
            consumer.seek(tp, starts[tp])
        while [tp for tp in places if await consumer.position(tp) < ends[tp]]:
            taken = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
            yield [event for records in taken.values() for record in records if (event := _event(topic, record.value))]
    finally:
        await consumer.stop()


def _event(topic: Topic, value: bytes | None) -> Event | None:
    try:
        event: Event = topic.reader.validate_json(value or b"")
    except ValidationError:
        return None
    return event
