"""A batch of signs is folded into the ledger, and it matters not how the stream was cut, doubled or mixed."""

from datetime import timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hazards.domain.alarm import BoardAlarm
from services.hazards.domain.deadlines import DEFAULTS
from services.hazards.domain.ledger import Ledger, Policies, Policy, take_alarms
from shared.events.alarms import Alarm
from shared.vocabulary import AlarmState, CaseKind, Level
from tests.hazards.signs import alarm, at, new

NEVER: Policies = {}


def taken(*alarms: Alarm, policies: Policies = NEVER, known: Ledger | None = None) -> Ledger:
    """The ledger after these; `known` is what stood there."""
    known = known or Ledger()
    return take_alarms(known.board.values(), known.cases.values(), alarms, DEFAULTS, policies)


def kinds(ledger: Ledger) -> list[CaseKind]:
    return [step.kind for _, step in ledger.steps]


def board(ledger: Ledger) -> list[BoardAlarm]:
    return list(ledger.board.values())


@pytest.mark.parametrize("level", ["red", "orange"])
def test_a_serious_alarm_opens_a_case(level):
    ledger = taken(alarm(level))

    (case,) = ledger.cases.values()
    assert (kinds(ledger), ledger.held) == ([CaseKind.OPENED], {})
    assert board(ledger)[0].case == case.id


@pytest.mark.parametrize("level", ["yellow", "blue"])
def test_another_alarm_stays_on_the_board_with_the_reason(level):
    ledger = taken(alarm(level))

    assert (ledger.cases, ledger.held) == ({}, {alarm(level).id: "no_case_by_policy"})
    assert board(ledger)[0].state is AlarmState.RAISED


def test_alarms_of_one_point_join_one_case_and_of_two_points_open_two():
    ledger = taken(alarm(), alarm("orange", minute=1), alarm(point="T-102"), alarm(enterprise="91350100M000100Y44"))

    assert kinds(ledger) == [CaseKind.OPENED, CaseKind.REPEATED, CaseKind.OPENED, CaseKind.OPENED]
    assert len(ledger.cases) == 3


def test_a_yellow_alarm_joins_no_graver_case():
    ledger = taken(alarm("orange"), alarm("yellow", minute=1))

    assert kinds(ledger) == [CaseKind.OPENED]
    assert list(ledger.held.values()) == ["no_case_by_policy"]


def test_a_yellow_alarm_opens_a_case_when_it_repeats_as_often_as_the_policy_says():
    policies = {Level.YELLOW: Policy(repeats=3)}
    said = [
        alarm("yellow", state, 2 * turn + later)
        for turn in range(3)
        for later, state in enumerate(("raised", "cleared"))
    ]

    ledger = taken(*said, policies=policies)

    assert kinds(ledger) == [CaseKind.OPENED, CaseKind.CLEARED]
    assert list(ledger.held.values()) == ["no_case_by_policy", "no_open_case"] * 2


def test_a_yellow_alarm_waits_for_an_answer_as_long_as_the_policy_says():
    policies = {Level.YELLOW: Policy(unanswered=timedelta(minutes=30))}

    waiting = taken(alarm("yellow", minute=1, accepted=at(5)), policies=policies)
    ended = taken(alarm("yellow", "cleared", 2), policies=policies, known=waiting)

    assert board(waiting)[0].unanswered_at == at(35)
    assert board(ended)[0].unanswered_at is None


def test_an_end_that_ends_nothing_is_held_with_the_reason():
    ledger = taken(alarm(state="cleared"), alarm(minute=5), alarm(state="cleared", minute=4))

    assert list(ledger.held.values()) == ["nothing_to_clear", "stale"]
    assert board(ledger)[0].state is AlarmState.RAISED


def test_the_end_of_an_alarm_whose_case_has_ended_is_held_with_the_reason():
    ledger = taken(alarm(), alarm("red", "cleared", 1))
    closed = taken(alarm(minute=2))
    closed.cases.clear()

    after_the_end = taken(alarm("red", "cleared", 3), known=closed)

    assert kinds(ledger) == [CaseKind.OPENED, CaseKind.CLEARED]
    assert list(after_the_end.held.values()) == ["no_open_case"]


def test_a_new_alarm_after_the_write_off_opens_a_new_case():
    first = taken(alarm(), alarm(state="cleared", minute=1))
    (before,) = first.cases.values()
    first.cases.clear()

    again = taken(alarm(minute=2), known=first)

    (case,) = again.cases.values()
    assert case.id != before.id
    assert board(again)[0].case == case.id


SAID = st.builds(
    alarm,
    level=st.sampled_from([level.value for level in Level]),
    state=st.sampled_from(["raised", "cleared"]),
    minute=st.integers(0, 5),
    point=st.sampled_from(["A", "B", "C"]),
)
STREAM = st.lists(SAID, max_size=25).map(new)
POLICIES = {Level.YELLOW: Policy(repeats=2, unanswered=timedelta(minutes=30))}


def in_batches(stream: list[Alarm], cuts: list[int]) -> Ledger:
    """The stream taken in batches, as the inbox lets it through; the steps of all batches."""
    known, steps, seen, begun = Ledger(), [], set(), 0
    for cut in [*sorted(cuts), len(stream)]:
        batch = [each for each in new(stream[begun:cut]) if each.id not in seen]
        seen |= {each.id for each in batch}
        known = taken(*batch, policies=POLICIES, known=known)
        steps += known.steps
        begun = cut
    known.steps = steps
    return known


def outcome(ledger: Ledger) -> tuple[object, object, object]:
    """Cases, board, and each case's steps in order."""
    ordered = sorted(ledger.steps, key=lambda pair: (pair[1].case, pair[1].version))
    return ledger.cases, ledger.board, [step for _, step in ordered]


@given(stream=STREAM, cuts=st.lists(st.integers(0, 25), max_size=4), data=st.data())
def test_a_stream_that_is_doubled_and_mixed_between_causes_makes_the_same_cases(stream, cuts, data):
    wanted = outcome(in_batches(stream, []))

    queues = [list(same) for _, same in groupby(sorted(stream, key=by_point), by_point)]
    mixed: list[Alarm] = []
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        mixed.append(queue.pop(0))
        if data.draw(st.booleans()):
            mixed.append(data.draw(st.sampled_from(mixed)))

    assert outcome(in_batches(mixed, cuts)) == wanted


def by_point(said: Alarm) -> str:
    return said.data.point


@given(stream=STREAM)
def test_every_alarm_has_one_step_or_one_reason(stream):
    ledger = in_batches(stream, [])

    touched = [step.cause for _, step in ledger.steps]
    held = taken(*stream, policies=POLICIES).held
    assert sorted([*touched, *held]) == sorted(each.id for each in stream)


@given(stream=STREAM)
def test_versions_of_a_case_count_one_by_one(stream):
    ledger = in_batches(stream, [])

    for case in ledger.cases.values():
        versions = [step.version for _, step in ledger.steps if step.case == case.id]
        assert versions == list(range(1, case.version + 1))
