"""What is written comes back equal, and what may exist once exists once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid5

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.hazards import store
from services.hazards.domain.alarm import AlarmKey, BoardAlarm, after
from services.hazards.domain.case import Case, after_report
from services.hazards.domain.deadlines import DEFAULTS, Period
from services.hazards.domain.ledger import Policy
from shared.events.event import NAMESPACE
from shared.vocabulary import AlarmState, CaseState, Grade, Level, Tier
from tests.hazards.signs import alarm, at, case, report

pytestmark = pytest.mark.postgres

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=30)
MOMENT = st.datetimes(at(0).replace(tzinfo=None), at(90_000).replace(tzinfo=None)).map(
    lambda moment: moment.replace(tzinfo=at(0).tzinfo)
)
UUID_OF = st.integers(0, 10**9).map(lambda number: uuid5(NAMESPACE, str(number)))
CASE = st.builds(
    Case,
    id=UUID_OF,
    cause=UUID_OF,
    version=st.integers(1, 10**6),
    state=st.sampled_from(CaseState),
    grade=st.none() | st.sampled_from(Grade),
    level=st.sampled_from(Level),
    title=TEXT,
    enterprise=TEXT,
    enterprise_name=TEXT,
    region=st.just("220203"),
    industry=TEXT,
    point=st.none() | TEXT,
    opened_at=MOMENT,
    due_at=st.none() | MOMENT,
    overdue=st.booleans(),
    tier=st.sampled_from(Tier),
    occurrences=st.integers(1, 10**6),
    active=st.frozensets(st.sampled_from(Level)),
    next_check_at=st.none() | MOMENT,
    responsible=st.none() | TEXT,
    measures=st.none() | TEXT,
    money=st.none() | TEXT,
    plan=st.none() | TEXT,
    submitted_by=st.none() | TEXT,
)
BOARD = st.builds(
    BoardAlarm,
    key=st.builds(AlarmKey, TEXT, TEXT, st.sampled_from(Level)),
    region=st.just("220203"),
    industry=TEXT,
    enterprise_name=TEXT,
    state=st.sampled_from(AlarmState),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    limit=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    message=st.none() | TEXT,
    raised_at=st.none() | MOMENT,
    cleared_at=st.none() | MOMENT,
    occurrences=st.integers(0, 10**6),
    case=st.none() | UUID_OF,
    acknowledged_at=st.none() | MOMENT,
    acknowledged_by=st.none() | TEXT,
    unanswered_at=st.none() | MOMENT,
    said_at=st.none() | MOMENT,
)
SOME = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SOME
@given(saved=CASE)
async def test_a_saved_case_comes_back_equal(db, saved):
    async with undone(db):
        await store.save_cases(db, [saved])

        assert await store.case_by_id(db, saved.id) == saved


@SOME
@given(saved=BOARD)
async def test_a_saved_alarm_comes_back_equal(db, saved):
    async with undone(db):
        await store.save_alarms(db, [saved])

        assert await store.board(db, [saved.key[:2]]) == [saved]


async def test_a_case_is_saved_over_how_it_stood(db):
    await store.save_cases(db, [case()])
    later = replace(case(), version=2, state=CaseState.CONFIRMED, grade=Grade.MAJOR, due_at=at(99), responsible="王工")

    await store.save_cases(db, [later])

    assert await store.case_by_id(db, later.id) == later


async def test_only_an_open_case_is_found_by_its_cause(db):
    await store.save_cases(db, [case()])
    before = await store.open_cases(db, [case().cause])

    await store.save_cases(db, [replace(case(), state=CaseState.CLOSED)])

    assert before == [case()]
    assert await store.open_cases(db, [case().cause]) == []


async def test_a_cause_has_one_open_case_whatever_the_code_does(db):
    await store.save_cases(db, [case()])
    second = replace(case(), id=uuid5(NAMESPACE, "second"))

    with pytest.raises(asyncpg.UniqueViolationError):
        async with undone(db):
            await store.save_cases(db, [second])
    await store.save_cases(db, [replace(case(), state=CaseState.VOID)])
    await store.save_cases(db, [second])


async def test_a_step_that_stands_there_is_not_written_twice(db):
    opened = after_report(report(), DEFAULTS)
    await store.save_steps(db, [opened])

    with pytest.raises(asyncpg.UniqueViolationError):
        await store.save_steps(db, [opened])


async def test_an_alarm_is_one_place_on_the_board(db):
    place, _ = after(None, alarm())
    await store.save_alarms(db, [place])
    ended, _ = after(place, alarm(state="cleared", minute=1))

    await store.save_alarms(db, [ended])

    assert await store.board(db, [(place.key.enterprise, place.key.point)]) == [ended]


async def test_periods_and_policies_are_data(db):
    await as_owner(db, "INSERT INTO deadline_periods VALUES ('confirm', 'red', '5 minutes', '1 minute')")
    await as_owner(db, "UPDATE case_policies SET repeats = 3 WHERE level = 'blue'")

    periods, policies = await store.periods(db), await store.policies(db)

    assert periods["confirm", Level.RED] == Period(timedelta(minutes=5), timedelta(minutes=1))
    assert periods["rectify", Grade.MAJOR] == DEFAULTS["rectify", Grade.MAJOR]
    assert policies == {Level.YELLOW: Policy(None, timedelta(minutes=30)), Level.BLUE: Policy(3, None)}


async def as_owner(db, statement: str) -> None:
    await db.execute("SET LOCAL ROLE hazards_owner")
    await db.execute(statement)
    await db.execute("SET LOCAL ROLE hazards_work")


@asynccontextmanager
async def undone(db: asyncpg.Connection) -> AsyncIterator[None]:
    """A part of the transaction that leaves nothing."""
    part = db.transaction()
    await part.start()
    try:
        yield
    finally:
        await part.rollback()
