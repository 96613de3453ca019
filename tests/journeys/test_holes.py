"""The holes through which the obvious design loses events or stops the door, each seen to happen, stay closed."""

import asyncio
import time
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import ConnectionGroup

from deploy.local.processes import recorded
from shared.events.event import Event
from shared.producer import Producer, Record, Unsent
from shared.service import Service
from tests.journeys.trial import NAME, Header, Trial, intake_of, numbered, topic_named, wires
from tests.stack import until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

SetFaults = Callable[[str], None]


class Once:
    """Raises at the nth batch, and never again."""

    def __init__(self, number: int, error: BaseException) -> None:
        self.number, self.error, self.batches = number, error, 0

    def __call__(self, _events: Sequence[Event]) -> None:
        self.batches += 1
        if self.batches == self.number:
            raise self.error


@pytest.mark.parametrize("error", [ConnectionResetError("PostgreSQL went away"), TimeoutError(), CancelledError()])
async def test_a_handler_that_raises_once_loses_nothing(trial: Trial, error: BaseException) -> None:
    """The framework swallows the error and goes on behind the batch."""
    await trial.write(wires(range(1700)))
    trial.spoil = Once(2, error)

    async with trial.running():
        await trial.reached(1700)

    assert await trial.took(1700) == numbered(range(1700))
    assert await trial.dead() == []


@pytest.mark.parametrize("which", ["loop of the framework", "coordination", "fetching", "metadata"])
async def test_what_is_cancelled_from_below_ends_the_process(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """Such a task is started again after an error by some, and after a cancellation by nobody."""
    given_up: list[str] = []
    monkeypatch.setattr("shared.opener.give_up", lambda event, **_fields: given_up.append(event))
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        intake = intake_of(service)
        consumer: Any = intake.consumer
        tasks = {
            "loop of the framework": intake._subscriber.tasks,
            "coordination": [consumer._coordinator._coordination_task],
            "fetching": [consumer._fetcher._fetch_task],
            "metadata": [consumer._client._sync_task],
        }
        for task in tasks[which]:
            task.cancel()
        await until(lambda: asyncio.sleep(0, given_up))

    assert given_up[0] == "consumer_ended"


async def test_a_client_that_waits_for_itself_ends_the_process(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fetches what is open, and never answers what is asked: then what was closed is never opened again."""
    given_up: list[str] = []
    monkeypatch.setattr("shared.opener.give_up", lambda event, **_fields: given_up.append(event))
    monkeypatch.setattr("shared.opener.SILENT_S", 1.0)
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        consumer: Any = intake_of(service).consumer
        consumer._client._md_update_fut = asyncio.get_running_loop().create_future()
        consumer._request_timeout_ms = 500
        await until(lambda: asyncio.sleep(0, given_up))

    assert given_up[0] == "client_silent"


async def test_a_broker_that_is_frozen_for_a_while_is_told_of_and_ends_nothing(
    trial: Trial, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[str] = []
    monkeypatch.setattr("shared.opener.give_up", lambda event, **_fields: given_up.append(event))
    monkeypatch.setattr("shared.opener.ANSWER_S", 1.0)
    broker = recorded(home, "kafka")
    assert broker is not None
    process = broker.process()
    assert process is not None
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        process.suspend()
        try:
            _, frozen = await until(lambda: trial.readyz(service), lambda answer: "no answer" in str(answer))
        finally:
            process.resume()
        await trial.write(wires(range(10, 20)))
        await trial.reached(20)
        await until(lambda: trial.readyz(service), lambda answer: answer[0] == 200)

    assert frozen["reasons"] == [f"{trial.topic.name}: Kafka: no answer for 1 s"]
    assert given_up == []


async def test_a_connection_on_which_nothing_comes_any_more_is_made_anew(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a cut network; nothing is fetched and the group goes on, so that only the opener can find out."""
    given_up: list[str] = []
    monkeypatch.setattr("shared.opener.give_up", lambda event, **_fields: given_up.append(event))
    monkeypatch.setattr("shared.service.REQUEST_S", 2.0)
    monkeypatch.setattr("shared.opener.ANSWER_S", 0.5)
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        intake = intake_of(service)
        consumer: Any = intake.consumer
        intake.partitions[0].retry_at = time.monotonic() + 3600
        intake.close(0)
        await until(lambda: asyncio.sleep(0, not consumer._fetcher._pending_tasks))
        node = consumer._client.get_random_node()
        consumer._client._conns[node, ConnectionGroup.DEFAULT]._writer.transport.pause_reading()
        await until(lambda: trial.readyz(service), lambda answer: "no answer" in str(answer))
        intake.partitions[0].retry_at = 0.0
        await trial.write(wires(range(10, 20)))
        await trial.reached(20)

    assert given_up == []


@pytest.mark.parametrize("moves", [True, False])
async def test_a_member_without_partitions_gives_up_only_when_nobody_reads(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    given_up: list[str] = []
    monkeypatch.setattr("shared.opener.give_up", lambda event, **_fields: given_up.append(event))
    monkeypatch.setattr("shared.opener.STUCK_S", 1.0)
    monkeypatch.setattr("shared.opener.REVIEW_S", 0.1)
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        intake_of(service).partitions = {}
        await trial.write(wires(range(10, 20)))
        if moves:
            for number in range(11, 20):
                await trial.sql("UPDATE positions SET next = $1", number)
                await asyncio.sleep(0.3)
        else:
            await until(lambda: asyncio.sleep(0, given_up))

    assert set(given_up) == (set() if moves else {"nobody_reads"})


@pytest.mark.parametrize("size", [1, 10])
async def test_a_handler_that_raises_at_the_last_batch_gets_it_again(trial: Trial, size: int) -> None:
    await trial.write(wires(range(size)))
    trial.spoil = Once(1, ConnectionResetError("PostgreSQL went away"))

    async with trial.running():
        await trial.reached(size)

    assert await trial.took(size) == numbered(range(size))
    assert await trial.dead() == []


@pytest.mark.parametrize("point", ["after_fetch", "in_transaction", "before_commit", "after_commit"])
async def test_a_batch_that_fails_anywhere_on_its_way_loses_nothing(
    trial: Trial, set_faults: SetFaults, point: str
) -> None:
    await trial.write(wires(range(1700)))
    set_faults(f"consumer.{point}=raise#2")

    async with trial.running():
        await trial.reached(1700)

    assert await trial.took(1700) == numbered(range(1700))
    assert await trial.dead() == []


async def test_two_who_both_believe_a_partition_theirs_take_each_record_once(trial: Trial) -> None:
    trial.topic = replace(trial.topic, unnamed=trial.topic.carries)  # no inbox hides what the position lets through
    await trial.write(wires(range(3000)))
    zombie = replace(trial, port=0)

    async with trial.running(), zombie.running(group="zombie"):
        await trial.reached(3000)

    assert await trial.took(3000) == numbered(range(3000))


@pytest.mark.parametrize(
    "header",
    [("x", b"\xc3\x28"), ("x", None), ("content-type", None), ("correlation_id", b"\xff"), ("reply_to", b"\xff")],
    ids=["not_utf8", "null", "null_content_type", "bad_correlation", "bad_reply"],
)
async def test_a_bad_header_harms_no_record(trial: Trial, header: Header) -> None:
    """It kills the framework's parser, and with it the batch."""
    await trial.write(wires(range(20)), headers={7: [header]})

    async with trial.running():
        await trial.reached(20)

    assert await trial.took(20) == numbered(range(20))
    assert await trial.dead() == []


async def test_a_body_that_claims_to_be_json_takes_no_other_with_it(trial: Trial) -> None:
    """It would take the parser, and so its batch, with it."""
    values: list[bytes | None] = [*wires(range(20))]
    values[7] = b"\xff\xfe"
    await trial.write(values, headers={7: [("content-type", b"application/json")]})

    async with trial.running():
        await trial.reached(20)

    assert await trial.took(19) == numbered([*range(7), *range(8, 20)])
    assert [(letter["log_offset"], letter["reason"]) for letter in await trial.dead()] == [(7, "unreadable")]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_records_of_every_codec_are_read(trial: Trial, codec: str) -> None:
    await trial.write(wires(range(20)), codec=codec)

    async with trial.running():
        await trial.reached(20)

    assert await trial.took(20) == numbered(range(20))


async def test_after_a_refusal_of_the_broker_the_next_sends_succeed(trial: Trial) -> None:
    """An idempotent producer never heals by itself."""
    await trial.delete_topic()
    await trial.make_topic(**{"max.message.bytes": "20000"})
    producer = Producer(trial.kafka, "test")

    before = await producer.send([Record(trial.topic.name, b"k", b"small")])
    refused = await producer.send([Record(trial.topic.name, b"k", b"x" * 100_000)])
    after = [await producer.send([Record(trial.topic.name, b"k", b"small")]) for _ in range(5)]
    await producer.stop()

    assert before == [None]
    assert refused != [None]
    assert after == [[None]] * 5


async def test_a_refusal_harms_what_others_send_at_the_same_time_once_at_most(trial: Trial) -> None:
    await trial.delete_topic()
    await trial.make_topic(**{"max.message.bytes": "20000"})
    producer = Producer(trial.kafka, "test")
    small = Record(trial.topic.name, b"k", b"small")
    await producer.send([small])

    async def until_acknowledged() -> int:
        tries = 1
        while await producer.send([small] * 3) != [None] * 3:
            tries += 1
            await asyncio.sleep(0.05)
        return tries

    large = producer.send([Record(trial.topic.name, b"k", b"x" * 100_000), small])
    tries, outcome = await asyncio.gather(asyncio.gather(*(until_acknowledged() for _ in range(20))), large)
    await producer.stop()

    assert max(tries) <= 4
    assert outcome[0] is not None


async def test_a_renewal_while_another_sends_much_makes_its_outcome_unknown_at_worst(trial: Trial) -> None:
    strict = replace(trial, topic=topic_named("test.strict"))
    await strict.make_topic(**{"max.message.bytes": "20000"})
    producer = Producer(trial.kafka, "test")
    await producer.start()
    much = [Record(trial.topic.name, b"k", b"x" * 1000)] * 20_000
    large = [Record(strict.topic.name, b"k", b"x" * 100_000)]

    sent, refused = await asyncio.gather(producer.send(much), producer.send(large))
    after = await producer.send([Record(trial.topic.name, b"k", b"small")])
    await producer.stop()
    await strict.delete_topic()

    assert {type(outcome) for outcome in sent} <= {type(None), Unsent}
    assert refused != [None]
    assert after == [None]


async def test_a_sequence_that_wraps_stops_nothing(trial: Trial) -> None:
    """The client counts on below zero, where the broker wants zero."""
    producer = Producer(trial.kafka, "test")
    await producer.start()
    tp = TopicPartition(trial.topic.name, 0)
    assert producer._producer is not None
    producer._producer._txn_manager._sequence_numbers[tp] = 2**31 - 3  # as after two thousand million records

    outcomes = [await producer.send([Record(tp.topic, b"k", b"%d" % number)]) for number in range(12)]
    await producer.stop()

    failed = [number for number, outcome in enumerate(outcomes) if outcome != [None]]
    assert len(failed) == 1  # and it is sent again by whoever asked
    values = await trial.read(11)
    assert values == [b"%d" % number for number in range(12) if number not in failed]


async def begin_at(trial: Trial, offset: int) -> None:
    """Takes the first records, so that the position stands there with its fingerprint."""
    await trial.write(wires(range(offset)))
    async with trial.running():
        await trial.reached(offset)


async def commit_to_kafka(trial: Trial, offset: int) -> None:
    """As a tool of ops or an older version may have done, before we came; it is no position of ours."""
    name = f"{NAME}.{trial.topic.name}"
    group = AIOKafkaConsumer(bootstrap_servers=trial.kafka, group_id=name, enable_auto_commit=False)
    await group.start()
    tp = TopicPartition(trial.topic.name, 0)
    group.assign([tp])
    await group.commit({tp: offset})
    await group.stop()


async def test_records_before_the_seek_have_no_effect(trial: Trial, set_faults: SetFaults) -> None:
    """The framework delivers while the listener is still at work."""
    await commit_to_kafka(trial, 20)
    await begin_at(trial, 10)
    await trial.write(wires(range(10, 30)))
    set_faults("consumer.in_listener=sleep2#1")

    async with trial.running():
        await trial.reached(30)

    assert await trial.took(30) == numbered(range(30))


async def test_our_group_never_commits_to_kafka(trial: Trial) -> None:
    await trial.write(wires(range(30)))

    async with trial.running():
        await trial.reached(30)

    async with trial.admin() as admin:
        assert await admin.list_consumer_group_offsets(f"{NAME}.{trial.topic.name}") == {}


@pytest.mark.parametrize("committed", [None, 20])
async def test_a_listener_that_raises_stops_nothing(trial: Trial, set_faults: SetFaults, committed: int | None) -> None:
    """A listener's error is only logged."""
    if committed is not None:
        await commit_to_kafka(trial, committed)
    await begin_at(trial, 10)
    await trial.write(wires(range(10, 30)))
    set_faults("consumer.in_listener=raise#1")

    async with trial.running():
        await trial.reached(30)

    assert await trial.took(30) == numbered(range(30))


async def stopped_as_another_log(trial: Trial, service: Service) -> None:
    async def reasons() -> list[str]:
        status, answer = await trial.readyz(service)
        assert answer["ready"] is (status == 200)
        return list(answer["reasons"])

    found = await until(reasons, lambda some: any("stopped" in reason for reason in some))
    (reason,) = [each for each in found if "stopped" in each]
    assert reason.startswith(f"{trial.topic.name}/0 stopped: the topic was made again")


async def test_a_topic_made_again_while_we_were_away_stops_its_partition(trial: Trial) -> None:
    """The old position would skip the first records of the new log."""
    await begin_at(trial, 10)
    await trial.delete_topic()
    await trial.make_topic()
    await trial.write(wires(range(100, 115)))

    async with trial.running() as service:
        await stopped_as_another_log(trial, service)

    assert await trial.position() == 10
    assert await trial.took(10) == numbered(range(10))


@pytest.mark.parametrize("records", [5, 15], ids=["shorter", "longer"])
async def test_a_topic_made_again_under_our_hands_stops_its_partition(trial: Trial, records: int) -> None:
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        trial.make_topic_again(wires(range(100, 100 + records)))
        await stopped_as_another_log(trial, service)

    assert (await trial.took(10))[:10] == numbered(range(10))


async def test_a_topic_that_is_away_is_told_by_readyz(trial: Trial) -> None:
    async with trial.running() as service:
        await until(lambda: trial.readyz(service), lambda answer: answer[0] == 200)
        await trial.delete_topic()

        status, answer = await until(lambda: trial.readyz(service), lambda answer: "UnknownTopic" in str(answer))
        await trial.make_topic()

    assert status == 503
    assert answer["reasons"][0].startswith(f"{trial.topic.name}: UnknownTopicOrPartitionError")
