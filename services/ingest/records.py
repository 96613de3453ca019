"""Finds the record of a pushed event on the bus by the time it was stamped with, for the door itself keeps nothing."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import ValidationError

from shared.events.event import Event
from shared.topics import ALARMS, READINGS, REPORTS, TOPICS

PUSHED_TO: Final = (ALARMS, REPORTS, READINGS)
PATIENCE_S: Final = 20.0


@dataclass
class Search:
    """The records that carry the names, among so many; not `whole` when time ran out before the end."""

    searched: int = 0
    whole: bool = False
    found: list[dict[str, Any]] = field(default_factory=list)


async def search(bootstrap: str, source: str, pushed: str, since: datetime, until: datetime | None) -> Search:
    """Reads what the broker stamped between two moments; raises KafkaError."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="none", enable_auto_commit=False)
    done = Search()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await consumer.start()
            await _read(consumer, done, (source, pushed), since, until)
            done.whole = True
    except TimeoutError:
        pass  # what was found until then is true all the same
    finally:
        with suppress(Exception):
            await asyncio.wait_for(consumer.stop(), 2)
    return done


async def _read(
    consumer: AIOKafkaConsumer, done: Search, names: tuple[str, str], since: datetime, until: datetime | None
) -> None:
    ends = await _ends(consumer, since, until)
    needle = orjson.dumps(names[1])
    while ends:
        for records in (await consumer.getmany(*ends, timeout_ms=200, max_records=5000)).values():
            done.searched += len(records)
            named = [record for record in records if record.value and needle in record.value]
            done.found += [shown for record in named if (shown := _shown(record, names))]
        left = {tp: end for tp, end in ends.items() if await consumer.position(tp) < end}
        consumer.pause(*(ends.keys() - left.keys()))
        ends = left


async def _ends(consumer: AIOKafkaConsumer, since: datetime, until: datetime | None) -> Mapping[TopicPartition, int]:
    """The partitions that hold records of that time, each opened at the first of them, and where they end."""
    tps = [TopicPartition(topic.name, number) for topic in PUSHED_TO for number in range(topic.partitions)]
    begins = await consumer.offsets_for_times({tp: int(since.timestamp() * 1000) for tp in tps})
    last = await consumer.end_offsets(tps)
    stops = await consumer.offsets_for_times({tp: int(until.timestamp() * 1000) for tp in tps}) if until else {}
    ends = {tp: stop.offset if (stop := stops.get(tp)) else last[tp] for tp in tps if begins[tp]}
    ends = {tp: end for tp, end in ends.items() if begins[tp].offset < end}
    if ends:
        consumer.assign(list(ends))
    for tp in ends:
        consumer.seek(tp, begins[tp].offset)
    return ends


def _shown(record: ConsumerRecord, names: tuple[str, str]) -> dict[str, Any] | None:
    try:
        event: Event = TOPICS[record.topic].reader.validate_json(record.value)
    except ValidationError:
        return None
    if (event.source, event.pushid) != names:
        return None
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": datetime.fromtimestamp(record.timestamp / 1000, UTC),
        "event": event.id,
        "type": event.type,
        "enterprise": event.enterprise,
        "time": event.time,
        "accepted": event.accepted,
        "digest": event.digest,
    }
