"""What a sign makes of a case, and what others hear of it."""

from dataclasses import replace

import pytest

from services.hazards.domain.alarm import Turn
from services.hazards.domain.case import Case, Step, after_alarm, after_clearing, after_report, alarm_cause, tell
from services.hazards.domain.deadlines import DEFAULTS
from shared.events.alarms import Reading
from shared.events.event import Origin, derived_id
from shared.topics import CASES
from shared.vocabulary import CaseKind, CaseState, Grade, Level, Tier
from tests.hazards.signs import ENTERPRISE, alarm, at, report


def opened(level: str = "red", turn: Turn = Turn.RAISED) -> Case:
    return after_alarm(None, alarm(level), turn, DEFAULTS)[0]


def joined(known: Case, level: str, turn: Turn = Turn.RAISED, minute: float = 1) -> tuple[Case, Step]:
    return after_alarm(known, alarm(level, minute=minute), turn, DEFAULTS)


def test_an_alarm_opens_a_case_for_its_point():
    case, step = after_alarm(None, alarm(data={"message": "一号罐 高高报"}), Turn.RAISED, DEFAULTS)

    assert (case.state, case.level, case.version, case.occurrences) == (CaseState.REPORTED, Level.RED, 1, 1)
    assert (case.cause, case.point, case.tier) == (alarm_cause(ENTERPRISE, "T-101"), "T-101", Tier.COUNTY)
    assert case.title == "T-101 红色报警：一号罐 高高报"
    assert (step.kind, step.version, step.origin) == (
        CaseKind.OPENED,
        1,
        Origin(source="//plant/dcs", id="T-101/red/0/raised"),
    )


def test_a_case_is_opened_when_the_door_took_it_and_a_step_is_when_it_happened():
    case, step = after_alarm(None, alarm(accepted=at(7)), Turn.RAISED, DEFAULTS)

    assert (case.opened_at, case.due_at) == (at(7), at(37))
    assert step.at == at(0)


def test_the_readings_of_an_alarm_stay_on_its_page_and_are_not_told_on():
    sign = alarm(data={"readings": (Reading(time=at(-1), value=70.5), Reading(time=at(0), value=95))})

    case, step = after_alarm(None, sign, Turn.RAISED, DEFAULTS)

    assert step.detail["readings"] == [
        {"time": "2026-11-25T07:59:00Z", "value": 70.5},
        {"time": "2026-11-25T08:00:00Z", "value": 95.0},
    ]
    assert tell(case, step).data.detail == {"level": "red"}


def test_a_worse_alarm_worsens_the_open_case():
    case, step = joined(opened("orange"), "red")

    assert (case.level, case.occurrences, case.version, step.kind) == (Level.RED, 2, 2, CaseKind.WORSENED)
    assert case.active == {Level.ORANGE, Level.RED}


@pytest.mark.parametrize("level", ["red", "orange", "yellow"])
def test_an_alarm_that_is_not_worse_repeats(level):
    case, step = joined(opened("red"), level)

    assert (case.level, case.occurrences, step.kind) == (Level.RED, 2, CaseKind.REPEATED)


def test_what_comes_back_after_all_was_clear_is_told_as_returned():
    known = opened()
    clear, _ = after_clearing(known, alarm(state="cleared", minute=1))

    assert joined(clear, "red", minute=2)[1].returned
    assert not joined(known, "red", Turn.AGAIN, minute=2)[1].returned
    assert not joined(replace(clear, level=Level.ORANGE), "red", minute=2)[1].returned  # that is worse, and told so


def test_a_late_alarm_joins_but_is_not_in_alarm():
    late = opened(turn=Turn.LATE)
    joining, step = joined(opened("orange"), "red", Turn.LATE)

    assert late.active == frozenset()
    assert (joining.active, joining.level, step.kind) == ({Level.ORANGE}, Level.RED, CaseKind.WORSENED)


def test_a_clearing_ends_its_level_only_and_the_case_goes_on():
    both, _ = joined(opened("orange"), "red")

    case, step = after_clearing(both, alarm("red", "cleared", 2))

    assert (case.active, case.level, case.state) == ({Level.ORANGE}, Level.RED, CaseState.REPORTED)
    assert (step.kind, case.version) == (CaseKind.CLEARED, 3)


@pytest.mark.parametrize(
    ("grade", "level"), [(None, Level.YELLOW), (Grade.GENERAL, Level.YELLOW), (Grade.MAJOR, Level.RED)]
)
def test_a_report_opens_a_case_of_its_own_with_the_colour_of_its_grade(grade, level):
    case, step = after_report(report(grade=grade, location="罐区"), DEFAULTS)

    assert (case.cause, case.level, case.grade, case.point) == (report().id, level, grade, None)
    assert step.detail["location"] == "罐区"
    assert "title" not in step.detail


def test_a_long_title_is_cut_and_says_so():
    case, _ = after_report(report(title="隐" * 300), DEFAULTS)

    assert (len(case.title), case.title[-1]) == (200, "…")


def test_the_same_sign_names_the_same_case_and_the_same_step():
    first, again = (after_alarm(None, alarm(), Turn.RAISED, DEFAULTS) for _ in range(2))

    assert (first[0].id, first[1].id) == (again[0].id, again[1].id)
    assert first[1].id == derived_id(alarm().id, "case")


def test_what_is_told_of_a_step_can_be_read_from_the_bus():
    case, step = joined(opened(), "orange")

    event = tell(case, step)

    assert CASES.reader.validate_json(event.wire()) == event
    assert (event.id, event.time, event.data.version) == (step.id, at(1), 2)
    assert (event.data.in_alarm, event.data.event) == (True, step.origin)
