"""What the bus cannot take is found before it is sent; what is not acknowledged is said to be unknown."""

import pytest

from shared import producer as module
from shared.producer import Producer, Record, TooLarge, Unsent
from shared.topics import MAX_RECORD_BYTES, PRODUCE_MAX_BYTES, TOPICS


async def test_without_a_broker_every_outcome_is_unknown() -> None:
    producer = Producer("127.0.0.1:1", "test", timeout=0.5)

    outcomes = await producer.send([Record("reports", b"k", b"v"), Record("reports", b"k", b"w")])

    assert [type(outcome) for outcome in outcomes] == [Unsent, Unsent]
    assert not producer.ready
    await producer.stop()


def test_what_we_try_to_send_fits_what_every_topic_takes() -> None:
    for topic in TOPICS.values():
        assert int(topic.configs()["max.message.bytes"]) - 1024 >= PRODUCE_MAX_BYTES
    assert PRODUCE_MAX_BYTES < MAX_RECORD_BYTES


def test_too_large_is_told_apart_from_unsent() -> None:
    assert not issubclass(TooLarge, Unsent)


@pytest.mark.kafka
async def test_one_that_timed_out_and_has_nothing_to_send_is_ready_again(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    producer = Producer(kafka, "test")
    await producer.start()
    producer._judge("timeout")
    assert not producer.ready

    await producer.keep()

    assert producer.ready
    await producer.stop()


@pytest.mark.kafka
async def test_one_that_is_sending_is_left_alone_after_a_time_out(kafka: str) -> None:
    producer = Producer(kafka, "test")
    await producer.start()
    made = producer._producer
    producer._judge("timeout")

    await producer.keep()

    assert producer._producer is made
    await producer.stop()
