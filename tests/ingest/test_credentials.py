"""However many pushes wait for one key, the registry is asked once; what it said before a change is not remembered."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.ingest.doors.credentials import Credentials
from shared.database import pool
from shared.problems import Problem
from tests.ingest.pushing import Plant

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


class Asked:
    """The pool of a door, and how often it was asked for."""

    def __init__(self, of) -> None:
        self.times, self._of = 0, of

    def __call__(self):
        self.times += 1
        return self._of


@pytest.fixture
async def asked(plant: Plant) -> AsyncIterator[Asked]:
    of = await pool(plant.stack.postgres.dsn("ingest_ask"), "test")
    yield Asked(of)
    await of.close()


@pytest.fixture
def credentials(plant: Plant, asked: Asked) -> Credentials:
    made = Credentials(plant.stack.postgres.dsn("ingest_ask"), 5000)
    made.ask = asked
    return made


async def test_many_who_wait_for_one_key_ask_once(plant: Plant, credentials: Credentials, asked: Asked):
    held = await asyncio.gather(*(credentials.of(plant.key) for _ in range(200)))

    assert asked.times == 1
    assert {each.pusher.uscc for each in held} == {plant.uscc}
    assert held[0].points


async def test_what_was_read_before_a_change_is_not_remembered(plant: Plant, credentials: Credentials, asked: Asked):
    early = asyncio.create_task(credentials.of(plant.key))
    await asyncio.sleep(0)
    credentials.forget()

    late = await credentials.of(plant.key)
    await early

    assert asked.times == 2
    assert await credentials.of(plant.key) is late


async def test_one_who_goes_away_takes_nothing_from_those_who_wait(plant: Plant, credentials: Credentials):
    gone, waiting = (asyncio.create_task(credentials.of(plant.key)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()

    assert (await waiting).pusher.uscc == plant.uscc


async def test_a_key_that_nobody_has_is_refused_to_all_who_wait(credentials: Credentials, asked: Asked):
    unknown = [credentials.of("fs_zzzzzzzz_" + "f" * 40) for _ in range(5)]

    refused = await asyncio.gather(*unknown, return_exceptions=True)

    assert asked.times == 1
    assert all(isinstance(each, Problem) and each.status == 401 for each in refused)
