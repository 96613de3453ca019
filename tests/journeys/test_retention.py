"""Records that retention ate before they were read cannot come back; they are counted, and the rest goes on."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from tests.journeys.trial import Trial, numbered, wires

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


async def retention_eats(trial: Trial, before: int) -> None:
    async with trial.admin() as admin:
        await admin.delete_records({TopicPartition(trial.topic.name, 0): RecordsToDelete(before)})


async def gaps(trial: Trial) -> list[tuple[int, int]]:
    rows = await trial.sql("SELECT first_lost, count FROM gaps WHERE topic = $1", trial.topic.name)
    return [(row["first_lost"], row["count"]) for row in rows]


async def test_what_was_eaten_unread_is_counted_and_the_rest_is_taken(trial: Trial) -> None:
    await trial.write(wires(range(30)))
    async with trial.running():
        await trial.reached(30)
    await trial.write(wires(range(30, 50)))
    await retention_eats(trial, before=45)

    async with trial.running():
        await trial.reached(50)

    assert await gaps(trial) == [(30, 15)]
    assert await trial.took(35) == numbered([*range(30), *range(45, 50)])


async def test_what_was_eaten_after_it_was_read_is_no_loss(trial: Trial) -> None:
    await trial.write(wires(range(30)))
    async with trial.running():
        await trial.reached(30)
    await retention_eats(trial, before=30)
    await trial.write(wires(range(30, 35)))

    async with trial.running():
        await trial.reached(35)

    assert await gaps(trial) == []
    assert await trial.took(35) == numbered(range(35))


async def test_who_comes_late_begins_where_the_log_begins(trial: Trial) -> None:
    await trial.write(wires(range(30)))
    await retention_eats(trial, before=20)

    async with trial.running():
        await trial.reached(30)

    assert await gaps(trial) == []
    assert await trial.took(10) == numbered(range(20, 30))
