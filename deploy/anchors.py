"""Reads from Kafka where each service's audit chain stood, minute by minute."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.events.audit import Head
from shared.topics import AUDIT

PATIENCE_S: Final = 15.0


class Unread(Exception):
    """The anchors could not be read, and why."""


async def anchors(bootstrap: str) -> AsyncIterator[Head]:
    """Every anchor that was there at the beginning, oldest first."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await asyncio.wait_for(consumer.start(), PATIENCE_S)
        place = TopicPartition(AUDIT.name, 0)
        if place.topic not in await asyncio.wait_for(consumer.topics(), PATIENCE_S):
            raise Unread(f"{bootstrap} has no topic {AUDIT.name}")
        consumer.assign([place])
        end = (await asyncio.wait_for(consumer.end_offsets([place]), PATIENCE_S))[place]
        while await asyncio.wait_for(consumer.position(place), PATIENCE_S) < end:
            for record in (await consumer.getmany(place, timeout_ms=1000)).get(place, ()):
                yield AUDIT.reader.validate_json(record.value).data
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unread(f"Kafka does not answer at {bootstrap}: {str(error) or type(error).__name__}") from error
    finally:
        await consumer.stop()
