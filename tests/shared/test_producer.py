"""What the bus cannot take is found before it is sent; what is not acknowledged is said to be unknown."""

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
