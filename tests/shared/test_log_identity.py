"""What a log holds is asked of a client that can answer; of any other it is said that it cannot."""

from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaConsumer

from shared.log_identity import Log, looked
from shared.topics import ALARMS

pytestmark = pytest.mark.kafka

NOT_CONNECTED = "the consumers are not connected to Kafka"


async def untouched(_consumer: AIOKafkaConsumer) -> None:
    """Made, and not started."""


async def half_started(consumer: AIOKafkaConsumer) -> None:
    """It knows the brokers, and still waits for its topics: what stands between it and its fetcher."""
    await consumer._client.bootstrap()


async def stopped(consumer: AIOKafkaConsumer) -> None:
    """It was connected once."""
    await consumer.start()
    await consumer.stop()


@pytest.mark.parametrize("so_far", [untouched, half_started, stopped])
async def test_a_client_that_cannot_answer_is_no_error(
    kafka: str, so_far: Callable[[AIOKafkaConsumer], Awaitable[None]]
) -> None:
    consumer = AIOKafkaConsumer(ALARMS.name, bootstrap_servers=kafka)
    await so_far(consumer)
    try:
        assert await looked(consumer, ALARMS.name) == NOT_CONNECTED
    finally:
        await consumer.stop()


async def test_a_connected_client_tells_first_and_end_of_every_partition(kafka: str) -> None:
    consumer = AIOKafkaConsumer(ALARMS.name, bootstrap_servers=kafka)
    await consumer.start()
    try:
        found = await looked(consumer, ALARMS.name)
    finally:
        await consumer.stop()

    assert isinstance(found, Log)
    assert set(found.first) == set(found.end) == set(range(ALARMS.partitions))
