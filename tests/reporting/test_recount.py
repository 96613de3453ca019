"""The proof that figures add up finds what does not, and has the time it needs."""

from math import isnan

import asyncpg
import pytest

from services.reporting import handlers, schedule, store
from services.reporting.metrics import ROLLUPS_EQUAL
from shared.vocabulary import CaseKind
from tests.reporting.conftest import Door, Hear
from tests.reporting.told import alarm, answer, name, step

pytestmark = pytest.mark.postgres


@pytest.fixture
async def told(hear: Hear) -> None:
    """Two alarms, a case that is open and one that was closed."""
    await hear(handlers.count_alarms, [alarm("a1"), alarm("a2")])
    await hear(handlers.count_cases, [step("c1"), step("c2"), step("c2", CaseKind.ACCEPTED, 2)])
    await hear(handlers.count_answers, [answer("c1")])


async def test_what_was_heard_equals_its_recount(told: None, door: Door):
    status, proof = await door.ask("/v1/statistics/recount", "POST", role="ops")

    assert status == 200
    assert proof == {"equal": True, "compared": 7, "differing": 0, "differences": []}


async def test_a_recount_finds_a_rollup_that_was_bent_and_one_that_is_gone(
    told: None, door: Door, owner: asyncpg.Connection
):
    await owner.execute("UPDATE rollups SET count = count + 1 WHERE measure = 'alarms'")
    await owner.execute("DELETE FROM rollups WHERE measure = 'seconds_to_acknowledge'")

    _, proof = await door.ask("/v1/statistics/recount", "POST", role="ops")

    assert (proof["equal"], proof["differing"]) == (False, 2)
    bent, gone = proof["differences"]
    assert (bent["measure"], bent["kept"], bent["recounted"]) == (
        "alarms",
        {"count": 3, "sum_us": 0, "max_us": 0},
        {"count": 2, "sum_us": 0, "max_us": 0},
    )
    assert (gone["measure"], gone["kept"]) == ("seconds_to_acknowledge", None)


async def test_a_recount_finds_a_case_that_its_facts_do_not_tell_of(told: None, door: Door, owner: asyncpg.Connection):
    await owner.execute("UPDATE cases SET state = 'closed' WHERE id = $1", name("case", "c1"))

    _, proof = await door.ask("/v1/statistics/recount", "POST", role="ops")

    (difference,) = proof["differences"]
    assert difference["case"] == str(name("case", "c1"))
    assert (difference["kept"], difference["recounted"]) == ({"opened": 1, "closed": 1}, {"opened": 1, "closed": 0})


async def test_only_ops_may_ask_for_a_recount(door: Door):
    status, problem = await door.ask("/v1/statistics/recount", "POST", role="manager")

    assert (status, problem["code"]) == (403, "forbidden")


async def test_the_hourly_recount_shows_what_it_found(told: None, db: asyncpg.Connection, owner: asyncpg.Connection):
    ROLLUPS_EQUAL.set(float("nan"))
    await owner.execute("UPDATE rollups SET max = max + 1 WHERE measure = 'alarms'")

    async with db.transaction():
        rows = await schedule.recount(db)

    assert rows == 0
    assert not isnan(ROLLUPS_EQUAL._value.get())
    assert ROLLUPS_EQUAL._value.get() == 0


async def test_a_recount_may_take_longer_than_other_transactions(db: asyncpg.Connection):
    await db.execute("SET transaction_timeout = '300ms'")

    async with db.transaction():
        await db.execute(store.ALLOW_A_RECOUNT)
        await db.execute("SELECT pg_sleep(0.6)")
        allowed = await db.fetchval("SHOW transaction_timeout")

    assert allowed == "5min"
    assert await db.fetchval("SHOW transaction_timeout") == "300ms"


async def test_every_series_is_there_from_the_start(door: Door):
    status, body = await door.ask("/metrics")

    shown = body.decode()
    assert status == 200
    assert "fengsui_rollups_equal" in shown
    for measure in ("alarms", "cases_opened", "cases_closed", "seconds_to_acknowledge", "seconds_to_close"):
        assert f'fengsui_facts_total{{measure="{measure}"}}' in shown
