"""A case past its deadline is overdue, then climbs a tier at each further period, as far as the province."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.hazards.domain.case import ENDED, after_deadline, after_report
from services.hazards.domain.deadlines import DEFAULTS, Period, to_confirm, to_rectify
from shared.vocabulary import CaseKind, CaseState, Grade, Level, Tier
from tests.hazards.signs import at, case, report

PERIOD = Period(within=timedelta(minutes=30), climb=timedelta(minutes=10))


def test_a_red_case_must_be_confirmed_within_half_an_hour_and_a_general_hazard_within_four():
    red, _ = after_report(report(grade=Grade.MAJOR), DEFAULTS)
    general, _ = after_report(report(), DEFAULTS)

    assert (red.level, red.due_at) == (Level.RED, at(30))
    assert (general.level, general.due_at) == (Level.YELLOW, at(240))


def test_the_table_overrides_the_periods_of_the_code():
    short = Period(timedelta(minutes=1), timedelta(minutes=1))
    periods = {**DEFAULTS, ("confirm", Level.YELLOW): short}

    assert to_confirm(periods, Level.YELLOW) is short
    assert to_rectify(periods, Grade.MAJOR) == DEFAULTS["rectify", Grade.MAJOR]


@pytest.mark.parametrize("state", sorted(set(CaseState) - ENDED))
def test_a_case_past_its_deadline_is_overdue_first(state):
    late, step = after_deadline(case(state, due_at=at(30), next_check_at=at(30)), at(31), PERIOD)

    assert step is not None
    assert (step.kind, step.at, late.overdue, late.tier) == (CaseKind.OVERDUE, at(31), True, Tier.COUNTY)
    assert late.next_check_at == at(41)


def test_it_climbs_county_city_province_and_no_further():
    now, kinds, tiers = at(30), [], []
    late = case(due_at=now, next_check_at=now)
    while late.next_check_at is not None:
        now = late.next_check_at
        late, step = after_deadline(late, now, PERIOD)
        assert step is not None
        kinds.append(step.kind)
        tiers.append(late.tier)

    assert kinds == [CaseKind.OVERDUE, CaseKind.ESCALATED, CaseKind.ESCALATED]
    assert tiers == [Tier.COUNTY, Tier.CITY, Tier.PROVINCE]


def test_each_step_of_the_climb_counts_the_version_and_has_a_name_of_its_own():
    now, steps, late = at(30), [], case(due_at=at(30), next_check_at=at(30))
    while late.next_check_at is not None:
        now = late.next_check_at
        late, step = after_deadline(late, now, PERIOD)
        steps.append(step)

    assert [step.version for step in steps] == [2, 3, 4]
    assert len({step.id for step in steps}) == 3


@pytest.mark.parametrize(
    "resting",
    [
        case(next_check_at=at(30)),
        case(next_check_at=None),
        case(CaseState.CLOSED, next_check_at=at(0)),
        case(CaseState.VOID, next_check_at=at(0)),
    ],
    ids=["not yet", "never", "closed", "void"],
)
def test_a_case_that_is_not_due_stays_as_it_is(resting):
    assert after_deadline(resting, at(29), PERIOD) == (resting, None)


def test_a_case_of_the_province_does_not_climb():
    late = case(due_at=at(0), overdue=True, tier=Tier.PROVINCE, next_check_at=at(0))

    assert after_deadline(late, at(1), PERIOD) == (replace(late, next_check_at=None), None)
