"""A record that no handler can take harms no other, and a fault of ours is never blamed on the records."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from shared.deadletters import PAYLOAD_LIMIT
from shared.events.event import Event
from shared.service import Service
from tests.journeys.trial import Trial, numbered, wires
from tests.shared.records import report
from tests.stack import served, until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


def refuse(*numbers: int) -> Any:
    """A handler that stumbles over these events wherever they stand."""
    bad = set(numbered(numbers))

    def stumble(events: Sequence[Event]) -> None:
        if bad & {event.pushid for event in events}:
            raise ValueError("no such unit")

    return stumble


async def test_one_bad_record_among_five_hundred_stands_alone(trial: Trial) -> None:
    values = wires(range(500))
    await trial.write(values)
    trial.spoil = refuse(250)

    async with trial.running():
        await trial.reached(500)

    assert await trial.took(499) == numbered([*range(250), *range(251, 500)])
    (letter,) = await trial.dead()
    assert (letter["topic"], letter["partition"], letter["log_offset"]) == (trial.topic.name, 0, 250)
    assert (letter["reason"], letter["detail"]) == ("refused", "ValueError: no such unit")
    assert (letter["payload"], letter["payload_size"]) == (values[250], len(values[250]))
    assert (letter["key"], letter["event_id"], letter["state"]) == (b"k", report("r-250").id, "waiting")


async def test_no_payload_can_hinder_its_own_dead_letter(trial: Trial) -> None:
    large = b"\x00" * (PAYLOAD_LIMIT + 512 * 1024)
    nul = report("r-\x00").wire()
    await trial.write([*wires([0]), nul, b"\x00", large, b'"\\ud800"', None, *wires([1])])

    async with trial.running():
        await trial.reached(7)

    assert await trial.took(2) == numbered([0, 1])
    dead = await trial.dead()
    assert [letter["log_offset"] for letter in dead] == [1, 2, 3, 4, 5]
    assert [letter["reason"] for letter in dead] == ["refused", "unreadable", "unreadable", "unreadable", "null_value"]
    assert [letter["payload"] for letter in dead] == [nul, b"\x00", large[:PAYLOAD_LIMIT], b'"\\ud800"', None]
    assert dead[2]["payload_size"] == len(large)


async def test_a_known_id_with_other_content_is_a_dead_letter(trial: Trial) -> None:
    await trial.write(wires([0, 1]))
    async with trial.running():
        await trial.reached(2)
        await trial.write([report("r-1", digest="11" * 16).wire(), *wires([2])])
        await trial.reached(4)

    assert await trial.took(3) == numbered([0, 1, 2])
    (letter,) = await trial.dead()
    assert (letter["reason"], letter["log_offset"], letter["event_id"]) == ("id_reused", 2, report("r-1").id)


async def test_a_true_repeat_behind_one_that_only_has_its_id_is_no_dead_letter(trial: Trial) -> None:
    impostor = report("r-1", digest="11" * 16).wire()
    await trial.write(wires([1]))
    async with trial.running():
        await trial.reached(1)
        await trial.write([impostor, *wires([1, 2]), impostor])
        await trial.reached(5)

    assert await trial.took(2) == numbered([1, 2])
    assert [(letter["reason"], letter["log_offset"]) for letter in await trial.dead()] == [
        ("id_reused", 1),
        ("id_reused", 4),
    ]


async def stopped(trial: Trial, service: Service) -> str:
    """The sentence of readyz, once the partition has stopped."""
    _, answer = await until(lambda: trial.readyz(service), lambda answer: "/0 stopped: " in str(answer))
    (reason,) = answer["reasons"]
    return str(reason)


async def ready(trial: Trial, service: Service) -> None:
    await until(lambda: trial.readyz(service), lambda answer: answer[0] == 200)


async def test_too_many_refusals_stop_the_partition_until_a_person_lets_it_go_on(trial: Trial) -> None:
    await trial.write([b"rubbish"] * 25 + wires(range(10)))

    async with trial.running() as service:
        reason = await stopped(trial, service)
        assert reason.startswith(f"{trial.topic.name}/0 stopped: 21 of the last 21 records were refused")
        assert reason.endswith(f"to go on: `fengsui dead resume trial {trial.topic.name} 0`")
        assert [letter["log_offset"] for letter in await trial.dead()] == list(range(20))
        assert await trial.position() == 20

        status, answer = await trial.post(service, f"/v1/partitions/{trial.topic.name}/0/resume")
        assert (status, answer["state"]) == (200, "resumed")
        await trial.reached(35)
        await ready(trial, service)

    assert await trial.took(10) == numbered(range(10))
    assert [letter["log_offset"] for letter in await trial.dead()] == list(range(25))


async def test_a_stopped_partition_is_stopped_for_the_next_life_too(trial: Trial) -> None:
    await trial.write([b"rubbish"] * 25)
    async with trial.running() as service:
        await stopped(trial, service)

    async with trial.running() as service:
        reason = await stopped(trial, service)

    assert "21 of the last 21 records were refused" in reason
    assert await trial.position() == 20


async def test_few_refusals_among_many_records_stop_nothing(trial: Trial) -> None:
    values = wires(range(1000))
    values[::25] = [b"rubbish"] * 40
    await trial.write(values)

    async with trial.running() as service:
        await trial.reached(1000)
        await ready(trial, service)

    assert await trial.took(960) == numbered(number for number in range(1000) if number % 25)
    assert len(await trial.dead()) == 40


async def test_a_schema_that_does_not_fit_is_no_fault_of_the_records(trial: Trial) -> None:
    failures = 0

    def fail_thrice(_events: Sequence[Event]) -> None:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise asyncpg.UndefinedColumnError('column "tier" does not exist')

    await trial.write(wires(range(100)))
    trial.spoil = fail_thrice

    async with trial.running():
        await trial.reached(100)

    assert await trial.took(100) == numbered(range(100))
    assert await trial.dead() == []


async def letter_of(trial: Trial) -> int:
    (letter,) = await until(trial.dead, lambda dead: len(dead) == 1)
    return int(letter["id"])


async def test_a_replayed_dead_letter_has_its_effect_once(trial: Trial) -> None:
    await trial.write(wires(range(3)))
    trial.spoil = refuse(1)
    async with trial.running() as service:
        letter = await letter_of(trial)
        trial.spoil = refuse()

        first = await trial.post(service, f"/v1/dead-letters/{letter}/replay", {"note": "the unit is known now"})
        second = await trial.post(service, f"/v1/dead-letters/{letter}/replay", {})
        await trial.reached(4)
        await trial.write(wires([1]))  # and the enterprise sends it again
        await trial.reached(5)

    assert (first[0], first[1]["state"]) == (200, "replayed")
    assert (second[0], second[1]["code"]) == (409, "already_resolved")
    assert await trial.took(3) == numbered([0, 2, 1])
    (row,) = await trial.dead()
    assert (row["state"], row["resolved_by"], row["note"]) == ("replayed", "运维", "the unit is known now")


async def test_a_corrected_dead_letter_has_the_effect_of_its_correction(trial: Trial) -> None:
    await trial.write([b"rubbish"])
    async with trial.running() as service:
        letter = await letter_of(trial)

        corrected = {"payload": report("r-7").wire().decode()}
        status, _ = await trial.post(service, f"/v1/dead-letters/{letter}/replay", corrected)
        await trial.reached(2)

    assert status == 200
    assert await trial.took(1) == numbered([7])


async def test_a_discarded_dead_letter_stays_without_effect(trial: Trial) -> None:
    await trial.write([b"rubbish"])
    async with trial.running() as service:
        letter = await letter_of(trial)

        silent, _ = await trial.post(service, f"/v1/dead-letters/{letter}/discard", {"note": ""})
        status, _ = await trial.post(service, f"/v1/dead-letters/{letter}/discard", {"note": "a test of the plant"})
        again, _ = await trial.post(service, f"/v1/dead-letters/{letter}/replay", {})

    assert (silent, status, again) == (422, 200, 409)
    assert [letter["state"] for letter in await trial.dead()] == ["discarded"]


@pytest.fixture
async def own_postgres() -> AsyncIterator[Postgres]:
    """A server that a test may stop."""
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        Path(folder).chmod(0o755)
        async with served(Path(folder) / "home", ()) as server:
            yield server


async def test_a_database_that_is_away_for_twenty_seconds_makes_no_dead_letters(
    trial: Trial, own_postgres: Postgres
) -> None:
    trial.postgres = own_postgres
    await trial.prepare()

    async with trial.running() as service:
        await trial.write(wires(range(1000)))
        await trial.took(1)
        await asyncio.to_thread(own_postgres.stop)
        for number in range(20):
            await trial.write(wires(range(1000 + number * 50, 1050 + number * 50)))
            await asyncio.sleep(1)
        assert (await trial.readyz(service))[0] == 503
        await asyncio.to_thread(own_postgres.start)
        await trial.reached(2000, timeout=30)

    assert await trial.took(2000) == numbered(range(2000))
    assert await trial.dead() == []
