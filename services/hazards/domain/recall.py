"""What a case went through by people and by the clock, taken again after a restore as the bus still tells it."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from services.hazards.domain.case import Case, Step, after_deadline, period_of
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
    obey,
)
from services.hazards.domain.deadlines import Periods
from shared.events.cases import CaseChanged
from shared.vocabulary import CaseKind, Grade

BY_THE_CLOCK: Final = frozenset({CaseKind.OVERDUE, CaseKind.ESCALATED})
BY_PEOPLE: Final = frozenset(
    {
        CaseKind.CONFIRMED,
        CaseKind.STARTED,
        CaseKind.SUBMITTED,
        CaseKind.RETURNED,
        CaseKind.ACCEPTED,
        CaseKind.VOIDED,
        CaseKind.COMMENTED,
    }
)

Recalled = Mapping[tuple[UUID, int], CaseChanged]
"""Steps that follow from no sign, by case and the version that they made."""


def is_own(event: CaseChanged) -> bool:
    """Whether a step does not follow from what hazards hears: it has no push behind it."""
    return event.data.event is None


def by_version(told: Iterable[CaseChanged]) -> Recalled:
    """Recalled events where they belong."""
    return {(event.data.case, event.data.version): event for event in told if is_own(event)}


def again(case: Case, recalled: Recalled, periods: Periods) -> list[tuple[Case, Step]]:
    """The recalled steps that follow on this version, each with the case after it."""
    taken: list[tuple[Case, Step]] = []
    while (event := recalled.get((case.id, case.version + 1))) is not None:
        after = _once(case, event, periods)
        if after is None:
            break
        case = after[0]
        taken.append(after)
    return taken


def _once(case: Case, event: CaseChanged, periods: Periods) -> tuple[Case, Step] | None:
    if event.data.kind in BY_THE_CLOCK:
        changed, step = after_deadline(case, event.time, period_of(case, periods))
        return (changed, step) if step is not None and step.kind is event.data.kind else None
    if event.data.kind not in BY_PEOPLE:
        return None
    try:
        return obey(case, command_of(event), event.data.by, event.time, periods)
    except (Forbidden, SamePerson, Missing, InThePast):
        return None


def command_of(event: CaseChanged) -> Command:
    """The command that a person's step came of."""
    data, told = event.data, event.data.detail
    command: Command
    match data.kind:
        case CaseKind.CONFIRMED:
            command = Confirm(Grade(told["grade"]))
        case CaseKind.STARTED:
            assert data.due_at is not None
            five = (told.get("measures"), told.get("money"), told.get("plan"))
            command = Start(told["responsible"], data.due_at, *five)
        case CaseKind.SUBMITTED:
            command = Submit(tuple(told["evidence"]), told.get("text"))
        case CaseKind.RETURNED:
            command = Return(told["reason"])
        case CaseKind.ACCEPTED:
            command = Accept(told.get("text"))
        case CaseKind.VOIDED:
            command = Void(told["reason"])
        case _:
            command = Comment(told["text"])
    return command
