"""Handlers on a real PostgreSQL: every event once, as a fact, a copy, or held with the reason."""

import asyncio
import random
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from deploy.local.postgres import Postgres
from services.reporting import handlers, store
from services.reporting.app import verdicts
from services.reporting.domain.period import day_of
from shared.database import connect
from shared.events.cases import CaseChanged
from shared.operations import Pushed
from shared.statements import statements
from shared.vocabulary import CaseKind, Level
from tests.reporting.conftest import Hear, take, there
from tests.reporting.told import AT, ENTERPRISE, alarm, answer, enterprise, name, report, step

pytestmark = pytest.mark.postgres


async def rollups(db: asyncpg.Connection) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Count, sum and max by measure and level."""
    rows = await db.fetch("SELECT measure, level, count, sum, max FROM rollups")
    return {(row["measure"], row["level"]): (row["count"], row["sum"], row["max"]) for row in rows}


async def test_every_statement_fits_the_schema(db: asyncpg.Connection):
    told = statements("services.reporting")

    prepared = [await db.prepare(sql) for sql in told.values()]

    assert len(prepared) == len(told)


async def test_a_redelivered_alarm_changes_nothing(hear: Hear, db: asyncpg.Connection):
    batch = [alarm("a1"), alarm("a2"), alarm("a3", state="cleared")]
    held = await hear(handlers.count_alarms, batch)

    await hear(handlers.count_alarms, [*reversed(batch), alarm("a4", level="yellow")])

    assert held == {batch[2].id: "alarm_cleared"}
    assert await rollups(db) == {("alarms", "red"): (2, 0, 0), ("alarms", "yellow"): (1, 0, 0)}


async def test_a_fact_that_is_known_adds_nothing_even_past_the_inbox(db: asyncpg.Connection):
    await handlers.count_alarms.handle(db, [alarm("a1")])

    await handlers.count_alarms.handle(db, [alarm("a1"), alarm("a2")])

    assert await rollups(db) == {("alarms", "red"): (2, 0, 0)}


async def test_a_batch_that_is_rolled_back_leaves_no_trace(db: asyncpg.Connection):
    transaction = db.transaction()
    await transaction.start()
    await handlers.count_alarms.handle(db, [alarm("a1")])

    await transaction.rollback()

    assert await db.fetchval("SELECT count(*) FROM facts") == 0
    assert await rollups(db) == {}


async def test_a_case_from_opening_to_closing_is_three_facts_and_one_copy(hear: Hear, db: asyncpg.Connection):
    closed = step(kind=CaseKind.ACCEPTED, version=3, time=AT + timedelta(hours=2))
    await hear(handlers.count_cases, [step(), step(kind=CaseKind.CONFIRMED, version=2), closed])

    copy = await db.fetchrow("SELECT version, state, opened_on FROM cases")

    two_hours = 2 * 3600 * 1_000_000
    assert tuple(copy) == (3, "closed", day_of(AT))
    assert await rollups(db) == {
        ("cases_opened", "red"): (1, 0, 0),
        ("cases_closed", "red"): (1, 0, 0),
        ("seconds_to_close", "red"): (1, two_hours, two_hours),
    }


async def test_an_older_step_does_not_overwrite_a_newer_copy(hear: Hear, db: asyncpg.Connection):
    await hear(handlers.count_cases, [step(version=5, kind=CaseKind.ACCEPTED)])
    old = step(version=4, kind=CaseKind.REPEATED)

    held = await hear(handlers.count_cases, [step(version=1), old])

    assert held == {old.id: "older_version"}
    assert await db.fetchval("SELECT version FROM cases") == 5
    assert (await rollups(db))["cases_opened", "red"] == (1, 0, 0)


async def test_a_report_is_counted_as_the_case_that_it_opens(hear: Hear, db: asyncpg.Connection):
    found = report()

    held = await hear(handlers.leave_reports_to_cases, [found])

    assert held == {found.id: "counted_as_case"}
    assert await db.fetchval("SELECT held FROM inbox WHERE id = $1", found.id) == "counted_as_case"


async def test_the_first_answer_counts_and_a_later_one_leaves_nothing_behind(hear: Hear, db: asyncpg.Connection):
    first, later = answer("c1"), answer("c2", data={"case_first": False})

    await hear(handlers.count_answers, [first, later])

    assert [row["id"] for row in await db.fetch("SELECT id FROM inbox")] == [first.id]
    assert await rollups(db) == {("seconds_to_acknowledge", "red"): (1, 90_000_000, 90_000_000)}


async def test_an_enterprise_goes_by_its_newest_name(hear: Hear, db: asyncpg.Connection):
    await hear(handlers.keep_names, [enterprise("新名", version=3), enterprise("旧名", version=2)])
    old = enterprise("更旧", version=1)

    held = await hear(handlers.keep_names, [old])

    assert held == {old.id: "older_version"}
    assert await store.names(db, [ENTERPRISE]) == {ENTERPRISE: "新名"}


async def test_facts_can_be_neither_changed_nor_taken_back(db: asyncpg.Connection):
    await handlers.count_alarms.handle(db, [alarm("a1")])

    for sql in ("UPDATE facts SET took = 1", "DELETE FROM facts", "DELETE FROM rollups"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(sql)


STREAM = [
    *[(handlers.count_alarms, alarm(f"a{n}", level=level)) for n, level in enumerate(("red", "red", "blue"))],
    *[(handlers.count_cases, step(f"c{n}")) for n in range(3)],
    *[(handlers.count_cases, step(f"c{n}", CaseKind.ACCEPTED, 2, time=AT + timedelta(hours=n + 1))) for n in range(3)],
    *[(handlers.count_answers, answer(f"c{n}")) for n in range(3)],
]

CLOSINGS = {event.id for _, event in STREAM if getattr(event.data, "kind", None) is CaseKind.ACCEPTED}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=some.lists(some.sampled_from(range(len(STREAM))), max_size=60), cut=some.integers(1, 9))
async def test_a_stream_in_any_order_batches_and_repetition_equals_its_recount(
    order: list[int], cut: int, db: asyncpg.Connection
):
    batches = [order[start : start + cut] for start in range(0, len(order), cut)]
    transaction = db.transaction()
    await transaction.start()

    for batch in batches:
        for taking in {STREAM[place][0] for place in batch}:
            await take(db, taking, [STREAM[place][1] for place in batch if STREAM[place][0] is taking])

    kept = await db.fetchval("SELECT coalesce(sum(count), 0) FROM rollups")
    found = await store.recount(db)
    await transaction.rollback()
    facts = {place: 2 if STREAM[place][1].id in CLOSINGS else 1 for place in set(order)}
    assert kept == sum(facts.values())
    assert [d for d in found.differences if d["measure"] != "cases"] == []


async def test_batches_of_several_replicas_at_once_add_up(figures: Postgres, db: asyncpg.Connection):
    shuffle = random.Random(20261125)
    steps = [step(f"c{n}", data={"level": level}) for n in range(60) for level in shuffle.sample(list(Level), 1)]

    async def replica(mine: list[CaseChanged]) -> None:
        line = await connect(there(figures.dsn("reporting_work")), "test")
        for start in range(0, len(mine), 5):
            async with line.transaction():
                await take(line, handlers.count_cases, mine[start : start + 5])
        await line.close()

    await asyncio.gather(*(replica(steps[part::4]) for part in range(4)))

    async with db.transaction():
        found = await store.recount(db)
    assert sum(count for count, _, _ in (await rollups(db)).values()) == 60
    assert found.differing == 0


async def test_a_push_has_one_verdict_here_whatever_followed_from_it(hear: Hear, db: asyncpg.Connection):
    await hear(handlers.count_alarms, [alarm("a1"), alarm("a2", state="cleared")])
    await hear(handlers.count_cases, [step(pushed="a1"), step(version=2, kind=CaseKind.CLEARED, pushed="a2")])
    await hear(handlers.count_answers, [answer(data={"event": {"source": "//test/dcs", "id": "a1"}})])

    answers = await verdicts(db, [Pushed(source="//test/dcs", id=pushed) for pushed in ("a1", "a2", "a3")])

    assert answers == [
        {"verdicts": 1, "held": [], "dead": 0, "effects": 3, "doubled": 0},
        {"verdicts": 1, "held": ["alarm_cleared"], "dead": 0, "effects": 0, "doubled": 0},
        {"verdicts": 0, "held": [], "dead": 0, "effects": 0, "doubled": 0},
    ]


async def test_a_push_that_only_its_case_step_tells_of_is_missing(hear: Hear, db: asyncpg.Connection):
    await hear(handlers.count_cases, [step(pushed="a1")])

    (answer_,) = await verdicts(db, [Pushed(source="//test/dcs", id="a1")])

    assert (answer_["verdicts"], answer_["effects"]) == (0, 1)


async def test_two_facts_of_one_measure_by_one_push_are_a_double_but_not_of_two_enterprises(
    hear: Hear, db: asyncpg.Connection
):
    twice = [alarm("a1"), alarm("a1", id=name("another id"))]
    others = [alarm("a2"), alarm("a2", enterprise="91220800MA00000026")]
    await hear(handlers.count_alarms, [*twice, *others])

    answers = await verdicts(db, [Pushed(source="//test/dcs", id=pushed) for pushed in ("a1", "a2")])

    assert [(each["verdicts"], each["effects"], each["doubled"]) for each in answers] == [(2, 2, 1), (2, 2, 0)]
