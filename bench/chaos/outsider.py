"""Somebody who writes rubbish on the bus: each piece must become one dead letter in every service that hears it."""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.topics import ALARMS, CASES, REPORTS

PAUSE_S: Final = 8.0  # far less than what would stop a partition
RUBBISH: Final = (b"\xff\xfe not JSON", b'{"specversion": "1.0"}', b"[]", b'{"type": "fengsui.alarm.v1", "id": 5}')


async def write_rubbish(kafka: str, keys: Sequence[str], seed: int) -> None:
    """Until cancelled; under keys that others use, so that it stands between good records."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker is away is known here
    chance = random.Random(f"{seed}/rubbish")
    producer = AIOKafkaProducer(bootstrap_servers=kafka, request_timeout_ms=5000)
    try:
        with suppress(KafkaError, OSError):
            await producer.start()
        while True:
            await asyncio.sleep(PAUSE_S)
            topic, key = chance.choice((ALARMS, REPORTS, CASES)), chance.choice(keys)
            with suppress(KafkaError, OSError, TimeoutError, AssertionError):
                async with asyncio.timeout(5):
                    await producer.send_and_wait(topic.name, chance.choice(RUBBISH), key=key.encode())
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), 5)
