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
"""What was told of cases, by case and the version that a step made."""


def by_version(told: Iterable[CaseChanged]) -> Recalled:
    """Recalled events where they belong."""
    return {(event.data.case, event.data.version): event for event in told}


def before(recalled: Recalled, place: tuple[UUID, int], sign: tuple[UUID, int] | None, *, touches: bool) -> bool:
    """Whether a step that the clock took stood before the step that a sign made, of the same point.

    A sign that had its step in another case, or none though it `touches` the open one, tells that this one was over by
    then; and no other sign came in between, or that one would have told the same."""
    if sign is not None and sign[0] == place[0]:
        return sign[1] > place[1]
    return (sign is not None or touches) and _ended_by_itself(recalled, *place)


def _ended_by_itself(recalled: Recalled, case: UUID, version: int) -> bool:
    while (event := recalled.get((case, version))) is not None and event.data.event is None:
        if event.data.kind in {CaseKind.ACCEPTED, CaseKind.VOIDED}:
            return True
        version += 1
    return False


def again(case: Case, recalled: Recalled, periods: Periods) -> list[tuple[Case, Step]]:
    """The recalled steps by people and the clock that follow on this version, each with the case after it."""
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
