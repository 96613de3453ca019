"""A case goes from step to step until it is written off, and no sequence of commands leads anywhere else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hazards.domain.case import Case, Step
from services.hazards.domain.commands import (
    Accept,
    Command,
    Comment,
    Confirm,
    Forbidden,
    InThePast,
    Missing,
    Return,
    SamePerson,
    Start,
    Submit,
    Void,
    allowed,
    obey,
)
from services.hazards.domain.deadlines import DEFAULTS
from shared.vocabulary import CaseKind, CaseState, Grade, Tier
from tests.hazards.signs import at, case

NOW = at(10)
CONFIRM = Confirm(Grade.GENERAL)
START = Start("王工", NOW + timedelta(days=10))
SUBMIT = Submit(({"url": "https://files/1.jpg", "sha256": "0" * 64},), "已更换")
WALK = {  # contracts, "Cases"
    (CaseState.REPORTED, Confirm): CaseState.CONFIRMED,
    (CaseState.CONFIRMED, Start): CaseState.RECTIFYING,
    (CaseState.RECTIFYING, Submit): CaseState.RECTIFIED,
    (CaseState.RECTIFIED, Return): CaseState.RECTIFYING,
    (CaseState.RECTIFIED, Accept): CaseState.CLOSED,
    **{(state, Void): CaseState.VOID for state in CaseState if state not in {CaseState.CLOSED, CaseState.VOID}},
    **{(state, Comment): state for state in CaseState},
}


def done(known: Case, command: Command, by: str = "zhang", now: Any = NOW) -> tuple[Case, Step]:
    return obey(known, command, by, now, DEFAULTS)


def test_a_case_walks_to_its_write_off():
    known, kinds = case(), []
    steps = [(CONFIRM, "officer"), (START, "manager"), (SUBMIT, "plant"), (Return("照片不清"), "manager")]
    for command, by in [*steps, (SUBMIT, "plant"), (Accept(), "manager")]:
        known, step = done(known, command, by)
        kinds.append(step.kind)

    assert (known.state, known.version) == (CaseState.CLOSED, 7)
    assert kinds == ["confirmed", "started", "submitted", "returned", "submitted", "accepted"]


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize(
    "command", [CONFIRM, START, SUBMIT, Return("x"), Accept(), Void("x"), Comment("x")], ids=lambda c: type(c).__name__
)
def test_each_state_allows_the_steps_of_the_contract_and_no_other(state, command):
    known = case(state, Grade.GENERAL)

    if wanted := WALK.get((state, type(command))):
        assert type(command).__name__.lower() in allowed(known)
        assert done(known, command)[0].state is wanted
    else:
        assert type(command).__name__.lower() not in allowed(known)
        with pytest.raises(Forbidden):
            done(known, command)


def test_confirming_sets_the_grade_and_the_deadline_of_the_grade():
    general, step = done(case(), CONFIRM)
    major, _ = done(case(), Confirm(Grade.MAJOR))

    assert (general.grade, general.due_at) == (Grade.GENERAL, NOW + timedelta(days=30))
    assert (major.grade, major.due_at) == (Grade.MAJOR, NOW + timedelta(days=90))
    assert step.detail == {"grade": "general", "due_at": (NOW + timedelta(days=30)).isoformat()}


def test_a_new_deadline_begins_at_the_cases_own_tier():
    late = case(overdue=True, tier=Tier.PROVINCE, next_check_at=None)

    known, _ = done(late, CONFIRM)

    assert (known.overdue, known.tier, known.next_check_at) == (False, Tier.COUNTY, known.due_at)


@pytest.mark.parametrize("without", ["measures", "money", "plan"])
def test_a_major_hazard_starts_with_all_five_or_not_at_all(without):
    five = replace(START, measures="更换安全阀", money="企业自筹 20 万元", plan="停车预案")

    with pytest.raises(Missing) as missing:
        done(case(CaseState.CONFIRMED, Grade.MAJOR), replace(five, **{without: None}))
    known, step = done(case(CaseState.CONFIRMED, Grade.MAJOR), five)

    assert missing.value.fields == [without]
    assert (known.measures, known.money, known.plan) == (five.measures, five.money, five.plan)
    assert step.detail["responsible"] == "王工"


def test_a_general_hazard_starts_with_who_and_when():
    known, _ = done(case(CaseState.CONFIRMED, Grade.GENERAL), START)

    assert (known.responsible, known.due_at) == ("王工", START.due_at)


def test_a_deadline_lies_ahead():
    with pytest.raises(InThePast):
        done(case(CaseState.CONFIRMED, Grade.GENERAL), replace(START, due_at=NOW))


def test_whoever_submitted_may_not_accept():
    submitted, _ = done(case(CaseState.RECTIFYING, Grade.GENERAL), SUBMIT, "admin")

    with pytest.raises(SamePerson):
        done(submitted, Accept(), "admin")
    assert done(submitted, Accept(), "manager")[0].state is CaseState.CLOSED


def test_evidence_and_reasons_stand_on_the_timeline():
    _, submitted = done(case(CaseState.RECTIFYING, Grade.GENERAL), SUBMIT)
    _, returned = done(case(CaseState.RECTIFIED, Grade.GENERAL), Return("照片不清"))
    _, accepted = done(case(CaseState.RECTIFIED, Grade.GENERAL), Accept())

    assert submitted.detail == {"evidence": [{"url": "https://files/1.jpg", "sha256": "0" * 64}], "text": "已更换"}
    assert returned.detail == {"reason": "照片不清"}
    assert accepted.detail == {}


@pytest.mark.parametrize("ending", [Accept(), Void("误报")])
def test_what_has_ended_has_no_deadline(ending):
    known, _ = done(case(CaseState.RECTIFIED, Grade.GENERAL, overdue=True, next_check_at=at(1)), ending)

    assert (known.overdue, known.next_check_at, known.is_open) == (False, None, False)


COMMANDS = st.sampled_from(
    [CONFIRM, Confirm(Grade.MAJOR), START, SUBMIT, Return("x"), Accept(), Void("x"), Comment("x")]
)
PEOPLE = st.sampled_from(["zhang", "li", "wang"])


@given(st.lists(st.tuples(COMMANDS, PEOPLE), max_size=25))
def test_no_sequence_of_commands_leaves_the_state_machine(given_commands):
    known, steps, submitter = case(), [], None
    for command, by in given_commands:
        before = known
        try:
            known, step = done(known, command, by)
        except (Forbidden, SamePerson, Missing):
            continue
        steps.append(step)
        assert known.state is WALK[before.state, type(command)]
        assert known.version == step.version == before.version + 1
        assert not (isinstance(command, Accept) and by == submitter)
        submitter = by if isinstance(command, Submit) else submitter
        if not before.is_open:
            assert (step.kind, replace(known, version=before.version)) == (CaseKind.COMMENTED, before)

    assert [step.version for step in steps] == list(range(2, known.version + 1))
    assert len({step.id for step in steps}) == len(steps)
