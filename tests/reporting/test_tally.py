"""What an event adds to the figures, in whatever batches and however often it comes."""

from datetime import UTC, date, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as some

from services.reporting.domain.copies import newest_cases
from services.reporting.domain.tally import (
    Fact,
    Figure,
    Key,
    Measure,
    is_first_answer,
    of_alarm,
    of_answer,
    of_case,
    roll_up,
)
from shared.vocabulary import CaseKind, CaseState, Level, NotificationKind
from tests.reporting.told import AT, ENTERPRISE, alarm, answer, name, step

NOON = date(2026, 11, 25)


def test_a_raised_alarm_counts_and_a_clearing_does_not():
    raised, cleared = alarm("a1"), alarm("a2", state="cleared")

    facts = of_alarm(raised), of_alarm(cleared)

    key = Key(Measure.ALARMS, NOON, "220802", "petrochemical", Level.RED, "", ENTERPRISE)
    assert facts == ([Fact(raised.id, key, AT)], [])


def test_a_case_is_opened_on_the_ledgers_day_even_when_its_alarm_came_late():
    late = step(time=AT - timedelta(days=3), data={"opened_at": AT})

    (fact,) = of_case(late)

    assert (fact.key.measure, fact.key.day, fact.case) == (Measure.CASES_OPENED, NOON, name("case", "c1"))


def test_a_closing_counts_and_tells_how_long_the_case_took():
    closed = step(kind=CaseKind.ACCEPTED, version=5, time=AT + timedelta(hours=30), data={"grade": "major"})

    facts = {fact.key.measure: fact for fact in of_case(closed)}

    assert set(facts) == {Measure.CASES_CLOSED, Measure.SECONDS_TO_CLOSE}
    assert facts[Measure.SECONDS_TO_CLOSE].took == 30 * 3600 * 1_000_000
    assert {(fact.key.grade, fact.key.day) for fact in facts.values()} == {("major", date(2026, 11, 26))}


def test_a_void_case_is_not_closed():
    voided = step(kind=CaseKind.VOIDED, version=2)

    facts = of_case(voided)

    assert facts == []


def test_only_the_first_answer_for_a_case_counts():
    first, second = answer(), answer(data={"case_first": False})
    sent = answer(data={"kind": NotificationKind.DELIVERED})

    counted = [each for each in (first, second, sent) if is_first_answer(each)]

    assert counted == [first]
    assert of_answer(first).took == 90 * 1_000_000


def test_an_answer_by_a_clock_that_is_behind_took_no_time():
    early = answer(after=timedelta(seconds=-2))

    assert of_answer(early).took == 0


def test_of_several_steps_the_newest_is_the_copy():
    steps = [step(version=3, kind=CaseKind.CONFIRMED), step(version=1), step("c2", version=7, kind=CaseKind.ACCEPTED)]

    copies = {copy.id: copy for copy in newest_cases(steps)}

    assert {case: copy.version for case, copy in copies.items()} == {name("case", "c1"): 3, name("case", "c2"): 7}
    assert copies[name("case", "c2")].state is CaseState.CLOSED


keys = some.builds(
    Key,
    measure=some.sampled_from([Measure.ALARMS, Measure.SECONDS_TO_CLOSE]),
    day=some.sampled_from([NOON, NOON + timedelta(days=1)]),
    region=some.sampled_from(["220802", "220821"]),
    industry=some.just("petrochemical"),
    level=some.sampled_from(Level),
    grade=some.sampled_from(["", "major"]),
    enterprise=some.just(ENTERPRISE),
)
facts = some.builds(
    Fact,
    id=some.integers(0, 40).map(lambda number: name("fact", number)),
    key=keys,
    at=some.datetimes(timezones=some.just(UTC)),
    took=some.integers(0, 10**15),
)


@given(stream=some.lists(some.lists(facts, max_size=8), max_size=12), shuffle=some.randoms())
def test_facts_doubled_and_shuffled_in_any_batches_add_up_to_their_recount(stream, shuffle):
    told = [fact for batch in stream for fact in batch]
    distinct = {(fact.id, fact.key.measure): fact for fact in reversed(told)}
    again = shuffle.sample(told, len(told))
    known: set[tuple[object, Measure]] = set()
    rolled: dict[Key, Figure] = {}

    for batch in [*stream, again]:
        new = {(f.id, f.key.measure): f for f in reversed(batch) if (f.id, f.key.measure) not in known}
        known |= set(new)
        for key, figure in roll_up(new.values()).items():
            rolled[key] = rolled.get(key, Figure()) + figure

    assert rolled == roll_up(distinct.values())


@given(some.lists(some.builds(Figure, *[some.integers(0, 10**15)] * 3)), some.randoms())
def test_figures_add_up_to_the_same_in_any_order(figures, shuffle):
    shuffled = shuffle.sample(figures, len(figures))

    total = reduce(Figure.__add__, shuffled, Figure())

    assert total == reduce(Figure.__add__, figures, Figure())
