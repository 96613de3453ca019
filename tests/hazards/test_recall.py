"""After a restore the ledger becomes what it was: signs are read again, and what people did comes back between them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.hazards.domain import commands
from services.hazards.domain.alarm import Turn, as_alarm
from services.hazards.domain.case import Case, Step, after_alarm, after_deadline, alarm_cause, period_of, tell
from services.hazards.domain.commands import ALLOWED, Command, obey
from services.hazards.domain.deadlines import DEFAULTS
from services.hazards.domain.ledger import Ledger, Policies, Policy, take_alarms
from services.hazards.domain.recall import again, by_version
from shared.events.alarms import Alarm
from shared.events.cases import CaseChanged
from shared.topics import CASES
from shared.vocabulary import CaseKind, Grade, Level
from tests.hazards.signs import alarm, at

COMMANDS: dict[str, Command] = {
    "confirm": commands.Confirm(Grade.GENERAL),
    "start": commands.Start("Zhao", at(1_000_000), money="1"),
    "submit": commands.Submit(({"url": "https://example.org/1", "sha256": "0" * 64},)),
    "return": commands.Return("blurred"),
    "accept": commands.Accept("done"),
    "void": commands.Void("a test"),
    "comment": commands.Comment("seen"),
}
SIGNS = st.tuples(
    st.sampled_from(["red", "orange", "yellow"]), st.sampled_from(["raised", "cleared"]), st.sampled_from("PQ")
)
DEEDS = st.one_of(SIGNS, st.integers(0, 9), st.none())
WAITING: Policies = {Level.YELLOW: Policy(unanswered=timedelta(minutes=30))}


class Site:
    """What happens to two points, sign by sign and deed by deed."""

    def __init__(self) -> None:
        self.board: dict = {}
        self.cases: dict[UUID, Case] = {}
        self.steps: list[tuple[Case, Step]] = []
        self.alarms: list[Alarm] = []

    def keep(self, ledger: Ledger) -> None:
        self.board |= ledger.board
        self.steps += ledger.steps
        self.cases |= {case.id: case for case, _ in ledger.steps}

    def hear(self, alarms: list[Alarm], recalled: dict | None = None) -> None:
        known = [case for case in self.cases.values() if case.is_open]
        self.keep(take_alarms(self.board.values(), known, alarms, DEFAULTS, WAITING, recalled or {}))

    def wait(self, once_more: Collection[UUID] | None = None) -> None:
        """Nobody answers, as the timer has it (schedule.py); of steps that were taken before, once more."""
        for key, place in list(self.board.items()):
            if place.unanswered_at is not None:
                cause = alarm_cause(key.enterprise, key.point)
                known = next((case for case in self.cases.values() if case.is_open and case.cause == cause), None)
                case, step = after_alarm(known, as_alarm(place), Turn.RAISED, DEFAULTS)
                if once_more is not None and step.id not in once_more:
                    continue
                self.board[key] = replace(place, case=case.id, unanswered_at=None)
                self.keep(Ledger(steps=[(case, step)]))

    def resume(self, recalled: dict) -> None:
        """What no sign follows, as the end of a recovery has it (schedule.py)."""
        ledger = Ledger(dict(self.board), recalled=recalled)
        for case in self.cases.values():
            ledger.resume(case, DEFAULTS)
        self.keep(ledger)

    def live(self, minute: int, deed: tuple[str, str, str] | int | None) -> None:
        if isinstance(deed, tuple):
            level, state, point = deed
            self.alarms.append(alarm(level, state, minute, point))
            self.hear(self.alarms[-1:])
        elif deed is None:
            self.wait()
        elif self.cases:
            case = list(self.cases.values())[deed % len(self.cases)]
            choices = ["deadline", *ALLOWED[case.state]]
            self.do(case, choices[deed % len(choices)], minute)

    def do(self, case: Case, action: str, minute: int) -> None:
        if action == "deadline":
            now = max(at(minute), case.next_check_at or at(minute))
            changed, step = after_deadline(case, now, period_of(case, DEFAULTS))
        else:
            changed, step = obey(case, COMMANDS[action], f"person {minute % 2}", at(minute), DEFAULTS)
        if step is not None:
            self.cases[case.id] = changed
            self.steps.append((changed, step))


def told(steps: list[tuple[Case, Step]]) -> list[CaseChanged]:
    """As the bus has it."""
    return [CASES.reader.validate_json(tell(case, step).wire()) for case, step in steps]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DEEDS, max_size=30), st.integers(0, 30), st.integers(1, 7))
def test_wherever_the_backup_was_made_the_ledger_becomes_what_it_was(deeds, cut, size):
    lived = Site()
    restored = Site()
    for minute, deed in enumerate(deeds):
        if minute == cut:
            restored.board, restored.cases = dict(lived.board), dict(lived.cases)
            restored.steps, restored.alarms = list(lived.steps), list(lived.alarms)
        try:
            lived.live(minute, deed)
        except commands.SamePerson:
            continue
    recalled = by_version(told(lived.steps[len(restored.steps) :]))

    later = lived.alarms[len(restored.alarms) :]
    for first in range(0, len(later), size):
        restored.hear(later[first : first + size], recalled)
    restored.resume(recalled)
    restored.wait({event.id for event in recalled.values()})
    restored.resume(recalled)

    assert restored.cases == lived.cases
    assert restored.board == lived.board
    assert sorted(restored.steps, key=order) == sorted(lived.steps, key=order)


def order(taken: tuple[Case, Step]) -> tuple[str, int]:
    return str(taken[1].case), taken[1].version


def test_what_does_not_fit_the_case_any_more_is_not_taken_again():
    lived = Site()
    lived.live(0, ("red", "raised", "P"))
    (opened,) = lived.cases.values()
    lived.do(opened, "void", 1)
    ended, _ = lived.steps[-1]
    forged = by_version(
        [event.model_copy(update={"data": event.data.model_copy(update={"version": 3})}) for event in told(lived.steps)]
    )

    assert again(ended, forged, DEFAULTS) == []


@pytest.mark.parametrize("kind", [CaseKind.OPENED, CaseKind.WORSENED, CaseKind.REPEATED, CaseKind.CLEARED])
def test_what_follows_from_signs_is_not_taken_again(kind):
    lived = Site()
    lived.live(0, ("red", "raised", "P"))
    ((case, _),) = lived.steps
    (event,) = told(lived.steps)
    following = event.data.model_copy(update={"kind": kind, "version": 2})

    assert again(case, by_version([event.model_copy(update={"data": following})]), DEFAULTS) == []


def test_an_alarm_that_was_said_again_before_nobody_answered_it_joins_no_case_that_was_opened_later():
    lived, restored = Site(), Site()
    for minute, deed in enumerate([("yellow", "raised", "P"), ("yellow", "raised", "P"), None]):
        lived.live(minute, deed)

    restored.hear(lived.alarms, by_version(told(lived.steps)))

    assert restored.cases == {}


def test_a_start_comes_back_whole():
    lived = Site()
    lived.live(0, ("red", "raised", "P"))
    for minute, action in enumerate(("confirm", "start"), start=1):
        lived.do(next(iter(lived.cases.values())), action, minute)
    opened, _ = lived.steps[0]

    (_, confirmed), (case, _) = again(opened, by_version(told(lived.steps)), DEFAULTS)

    assert confirmed.at == at(1)
    assert (case.responsible, case.money, case.due_at) == ("Zhao", "1", at(1_000_000))
    assert case.due_at is not None
    assert case.due_at - at(0) > timedelta(days=1)
