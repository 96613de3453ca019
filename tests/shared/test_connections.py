"""A connection that closes under uvloop is a broken one to aiokafka, whoever writes on it."""

import asyncio
from threading import Thread
from typing import Any

import pytest
import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka import conn as library

from shared.connections import mend_connections
from shared.topics import ALARMS

pytestmark = pytest.mark.kafka


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "AIOKafkaConnection", library.AIOKafkaConnection)  # put back afterwards
    mend_connections()


def under_uvloop(job: Any) -> Any:
    """What the coroutine answers in a loop of its own, beside the one of the tests."""
    answer: list[Any] = []

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            answer.append(runner.run(job))

    aside = Thread(target=run)
    aside.start()
    aside.join()
    return answer[0]


async def metadata_when_the_connection_dies(kafka: str) -> tuple[bool, bool, int]:
    """Asked in the very turn in which the broker resets it: what is answered, then, and how many partitions it sees."""
    consumer = AIOKafkaConsumer(ALARMS.name, bootstrap_servers=kafka)
    await consumer.start()
    try:
        client = consumer._client
        await client.ready(client.get_random_node())
        for connection in client._conns.values():
            connection._writer.transport._force_close(ConnectionResetError())
        await asyncio.sleep(0)
        at_once = await client._metadata_update(client.cluster, [ALARMS.name])
        later = await client.force_metadata_update()
        return at_once, later, len(await consumer.end_offsets(list(consumer.assignment())))
    finally:
        await consumer.stop()


def test_metadata_that_is_asked_for_while_its_connection_dies_is_asked_for_again(kafka: str, mended: None) -> None:
    assert under_uvloop(metadata_when_the_connection_dies(kafka)) == (False, True, ALARMS.partitions)
