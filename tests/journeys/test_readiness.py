"""Whoever asks whether a service can do its job learns what stands still, and nothing that is not theirs to know."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from deploy.local.walls import in_our_database
from shared.database import Connection
from shared.service import Service
from shared.timers import Timer
from tests.journeys.trial import Trial, intake_of, wires
from tests.stack import until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

SECRET = "张三 13800000000"


async def reason(trial: Trial, service: Service, word: str) -> str:
    """The one that holds this word, once it is there."""

    async def holding() -> list[str]:
        return [each for each in (await trial.readyz(service))[1]["reasons"] if word in each]

    (found,) = await until(holding)
    return str(found)


async def ready(trial: Trial, service: Service) -> None:
    await until(lambda: trial.readyz(service), lambda answer: answer == (200, {"ready": True, "reasons": []}))


async def test_an_event_that_nobody_sends_is_told_of_until_it_is_sent(trial: Trial) -> None:
    other = await asyncpg.connect(trial.dsn())
    await other.execute("SELECT pg_advisory_lock(hashtext('fengsui.relay.trial'))")  # a relay elsewhere, that hangs

    async with trial.running() as service:
        await ready(trial, service)
        await trial.sql(
            "INSERT INTO outbox (id, topic, key, body, created_at) "
            "VALUES (gen_random_uuid(), $1, 'k', '{}', now() - interval '31 seconds')",
            trial.topic.name,
        )
        told = await reason(trial, service, "outbox")
        await other.close()
        await ready(trial, service)

    assert told.startswith("outbox: the oldest event has waited ")


async def test_a_timer_that_does_not_get_through_is_told_of(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.timers.LATE_S", 1.0)

    async def step(db: Connection) -> int:
        return int(await db.fetchval("SELECT count(*) FROM not_yet_there"))

    timed = replace(trial, timers=[Timer("vital", 0.1, step, vital=True), Timer("other", 0.1, step)])
    async with timed.running() as service:
        told = await reason(timed, service, "timer vital")
        await trial.sql("CREATE TABLE not_yet_there ()")
        await trial.sql("GRANT SELECT ON not_yet_there TO trial_work")
        await ready(timed, service)

    assert told.startswith("timer vital: no pass for ")
    assert told.endswith(" s UndefinedTableError 42P01")


async def test_a_task_that_begins_again_is_told_of_however_it_ended(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.jobs.PAUSE_S", 0.1)

    async def fails() -> None:
        raise ValueError(SECRET)

    async def returns() -> None:
        await asyncio.sleep(0)

    tasked = replace(trial, tasks=[fails, returns])
    async with tasked.running() as service:
        told = [await reason(tasked, service, job.__qualname__) for job in (fails, returns)]

    assert [each.rpartition("<locals>.")[2] for each in told] == [
        "fails began again: ValueError",
        "returns began again: it returned",
    ]


async def test_a_database_that_does_not_answer_is_told_of(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.service.ANSWER_S", 1.5)

    async with trial.running() as service:
        await ready(trial, service)
        holder = await asyncpg.connect(in_our_database(trial.postgres.admin_dsn))
        async with holder.transaction():
            await holder.execute("LOCK TABLE trial.outbox IN ACCESS EXCLUSIVE MODE")
            told = await reason(trial, service, "PostgreSQL")
        await holder.close()
        await ready(trial, service)

    assert told.startswith("PostgreSQL: no answer for ")


async def test_a_reason_holds_nothing_of_what_was_in_the_error(trial: Trial) -> None:
    """PostgreSQL says the values that it stumbled over, and connecting says where to."""

    def spoil(_events: Any) -> None:
        raise asyncpg.UndefinedTableError(f'relation "{SECRET}" does not exist')

    spoilt = replace(trial, spoil=spoil)
    await trial.write(wires(range(3)))
    async with spoilt.running() as service:
        told = await reason(spoilt, service, "waits")
        intake_of(service)._opener._explain(OSError(f"postgresql://trial:{SECRET}@127.0.0.1:5432"))
        _, answer = await spoilt.readyz(service)

    assert told == f"{trial.topic.name}/0 waits: UndefinedTableError 42P01"
    assert SECRET not in str(answer)
