"""A batch of case events: each calls, answers, ends, or is held with the reason."""

import pytest

from services.notify.domain.call import CallState
from services.notify.domain.calls import Calls, ToldCase, take_events
from shared.events.cases import CaseChanged
from shared.vocabulary import CaseKind, NotificationKind, Tier
from tests.notify.world import FULL, MINUTE, NOW, ROUTES, case_event, kinds, named, states

KINDS = NotificationKind


def taken(*events: CaseChanged, cases: tuple[ToldCase, ...] = ()) -> Calls:
    return take_events(cases, [], events, FULL, ROUTES, NOW)


def steps_of(board: Calls) -> list[tuple[NotificationKind, str | None]]:
    return kinds(step for _, step in board.steps)


@pytest.mark.parametrize("kind", [CaseKind.OPENED, CaseKind.WORSENED, CaseKind.OVERDUE])
def test_what_begins_or_grows_worse_calls_people(kind: CaseKind) -> None:
    board = taken(case_event(kind))

    assert steps_of(board) == [(KINDS.CREATED, "anna")]
    assert not board.held


def test_a_deadline_that_climbs_calls_the_higher_tier() -> None:
    assert steps_of(taken(case_event(CaseKind.ESCALATED, tier=Tier.PROVINCE))) == [(KINDS.CREATED, "cao")]


def test_an_alarm_that_is_here_again_calls_and_one_that_stayed_does_not() -> None:
    again, stayed = case_event(CaseKind.REPEATED, "again", returned=True), case_event(CaseKind.REPEATED, "stayed")

    board = taken(again, stayed)

    assert list(board.changed) == [again.id]
    assert board.held == {stayed.id: "already_told"}


@pytest.mark.parametrize("kind", [CaseKind.COMMENTED, CaseKind.SUBMITTED])
def test_what_concerns_nobody_on_duty_is_held(kind: CaseKind) -> None:
    assert list(taken(case_event(), case_event(kind)).held.values()) == ["concerns_nobody_on_duty"]


def test_a_case_keeps_the_time_of_its_first_notification() -> None:
    known = ToldCase(named("case"), NOW - 30 * MINUTE)

    board = taken(case_event(CaseKind.WORSENED), cases=(known,))

    assert {call.first_created_at for call in board.changed.values()} == {NOW - 30 * MINUTE}


@pytest.mark.parametrize("kind", [CaseKind.CONFIRMED, CaseKind.STARTED, CaseKind.RETURNED])
def test_a_step_by_a_person_answers_every_open_call_of_the_case(kind: CaseKind) -> None:
    board = taken(case_event(), case_event(CaseKind.WORSENED), case_event(case="other"), case_event(kind, by="zhao"))

    by_case = {call.kind: call for call in board.changed.values() if call.case == named("case")}
    assert {call.state for call in by_case.values()} == {CallState.ANSWERED}
    answers = [step for _, step in board.steps if step.kind is KINDS.ACKNOWLEDGED]
    assert [(step.by, step.case_first) for step in answers] == [("zhao", True), ("zhao", False)]
    assert states(next(call for call in board.changed.values() if call.case == named("other"))) == {"anna": "pending"}


def test_a_second_answer_has_nothing_to_answer() -> None:
    board = taken(case_event(), case_event(CaseKind.CONFIRMED), case_event(CaseKind.STARTED))

    assert list(board.held.values()) == ["nothing_to_answer"]


@pytest.mark.parametrize("kind", [CaseKind.ACCEPTED, CaseKind.VOIDED])
def test_the_end_of_a_case_answers_and_ends_its_calls(kind: CaseKind) -> None:
    board = taken(case_event(), case_event(kind))

    assert steps_of(board) == [(KINDS.CREATED, "anna"), (KINDS.ACKNOWLEDGED, "anna")]
    assert {call.state for call in board.changed.values()} == {CallState.ENDED}


def test_the_clearing_of_the_last_level_ends_the_alarm_but_no_deadline() -> None:
    opened, overdue = case_event(), case_event(CaseKind.OVERDUE)
    cleared = case_event(CaseKind.CLEARED, in_alarm=False)

    board = taken(opened, overdue, cleared)

    assert steps_of(board)[-1] == (KINDS.ENDED, "anna")
    assert [call.over_at for call in board.changed.values()] == [NOW, None]
    assert not board.held


def test_a_clearing_that_ends_nothing_is_held() -> None:
    still = case_event(CaseKind.CLEARED, "still", in_alarm=True)
    last = case_event(CaseKind.CLEARED, "last", in_alarm=False)
    late = case_event(CaseKind.CLEARED, "late", in_alarm=False)

    board = taken(case_event(), still, last, late)

    assert board.held == {still.id: "still_in_alarm", late.id: "nothing_to_end"}
