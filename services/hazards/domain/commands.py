"""What a person may do to a case, step by step until it is written off (闭环 销号)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from services.hazards.domain.case import Case, Step
from services.hazards.domain.deadlines import Periods, to_rectify
from shared.codes import tier_of
from shared.events.event import derived_id
from shared.vocabulary import CaseKind, CaseState, Grade

ALLOWED: Final[dict[CaseState, tuple[str, ...]]] = {
    CaseState.REPORTED: ("confirm", "comment", "void"),
    CaseState.CONFIRMED: ("start", "comment", "void"),
    CaseState.RECTIFYING: ("submit", "comment", "void"),
    CaseState.RECTIFIED: ("accept", "return", "comment", "void"),
    CaseState.CLOSED: ("comment",),
    CaseState.VOID: ("comment",),
}
ACTIONS: Final = ("confirm", "start", "submit", "return", "accept", "void", "comment")


class Obstacle(StrEnum):
    """Why somebody may not take an action."""

    WRONG_ROLE = "wrong_role"  # never, as who they are
    WRONG_STATE = "wrong_state"  # not while the case stands where it stands
    SAME_PERSON = "same_person"  # whoever submitted may not accept


class Forbidden(Exception):
    """The case is not where this step begins."""


class SamePerson(Exception):
    """Whoever submitted may not accept."""


class Missing(Exception):
    """A major hazard starts with all five of 五落实; these are not there."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class InThePast(Exception):
    """A deadline lies ahead."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """核实, with the grade."""

    grade: Grade


@dataclass(frozen=True, slots=True)
class Start:
    """开始整改: who rectifies, by when, and for a major hazard how, with what money, and what if it fails."""

    responsible: str
    due_at: datetime
    measures: str | None = None
    money: str | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """提交整改, with evidence by URL and hash."""

    evidence: tuple[dict[str, str], ...]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """退回."""

    reason: str


@dataclass(frozen=True, slots=True)
class Accept:
    """验收销号."""

    text: str | None = None


@dataclass(frozen=True, slots=True)
class Void:
    """作废."""

    reason: str


@dataclass(frozen=True, slots=True)
class Comment:
    """备注."""

    text: str


Command = Confirm | Start | Submit | Return | Accept | Void | Comment


def allowed(case: Case) -> tuple[str, ...]:
    """The actions that the state of the case allows, whoever asks."""
    return ALLOWED[case.state]


def blocked(case: Case, by: str, permitted: Collection[str]) -> dict[str, Obstacle]:
    """What stands between a person and each action that they may not take now; `permitted` are those of their role."""
    found = {action: _obstacle(case, action, by, permitted) for action in ACTIONS}
    return {action: obstacle for action, obstacle in found.items() if obstacle}


def _obstacle(case: Case, action: str, by: str, permitted: Collection[str]) -> Obstacle | None:
    if action not in permitted:
        return Obstacle.WRONG_ROLE
    if action not in ALLOWED[case.state]:
        return Obstacle.WRONG_STATE
    return Obstacle.SAME_PERSON if action == "accept" and by == case.submitted_by else None


def obey(case: Case, command: Command, by: str, now: datetime, periods: Periods) -> tuple[Case, Step]:
    """The case after a person's command; raises Forbidden, SamePerson, Missing or InThePast."""
    action = type(command).__name__.lower()
    if action not in ALLOWED[case.state]:
        raise Forbidden(action)
    decide = _DECISIONS[type(command)]
    kind, changed, detail = decide(case, command, by, now, periods)
    changed = replace(changed, version=case.version + 1)
    step = Step(
        id=derived_id(case.id, kind, changed.version),
        case=case.id,
        version=changed.version,
        kind=kind,
        at=now,
        by=by,
        detail={name: value for name, value in detail.items() if value is not None},
    )
    return changed, step


Decision = tuple[CaseKind, Case, dict[str, Any]]


def _confirm(case: Case, command: Confirm, _by: str, now: datetime, periods: Periods) -> Decision:
    due_at = now + to_rectify(periods, command.grade).within
    changed = _due(replace(case, state=CaseState.CONFIRMED, grade=command.grade), due_at)
    return CaseKind.CONFIRMED, changed, {"grade": command.grade.value, "due_at": due_at.isoformat()}


def _start(case: Case, command: Start, _by: str, now: datetime, _periods: Periods) -> Decision:
    five = {"measures": command.measures, "money": command.money, "plan": command.plan}
    if case.grade is Grade.MAJOR and (missing := [name for name, value in five.items() if not value]):
        raise Missing(missing)
    if command.due_at <= now:
        raise InThePast
    changed = _due(
        replace(
            case,
            state=CaseState.RECTIFYING,
            responsible=command.responsible,
            measures=command.measures,
            money=command.money,
            plan=command.plan,
        ),
        command.due_at,
    )
    detail = {"responsible": command.responsible, "due_at": command.due_at.isoformat(), **five}
    return CaseKind.STARTED, changed, detail


def _submit(case: Case, command: Submit, by: str, _now: datetime, _periods: Periods) -> Decision:
    changed = replace(case, state=CaseState.RECTIFIED, submitted_by=by)
    return CaseKind.SUBMITTED, changed, {"evidence": list(command.evidence), "text": command.text}


def _return(case: Case, command: Return, _by: str, _now: datetime, _periods: Periods) -> Decision:
    return CaseKind.RETURNED, replace(case, state=CaseState.RECTIFYING), {"reason": command.reason}


def _accept(case: Case, command: Accept, by: str, _now: datetime, _periods: Periods) -> Decision:
    if by == case.submitted_by:
        raise SamePerson
    return CaseKind.ACCEPTED, _ended(case, CaseState.CLOSED), {"text": command.text}


def _void(case: Case, command: Void, _by: str, _now: datetime, _periods: Periods) -> Decision:
    return CaseKind.VOIDED, _ended(case, CaseState.VOID), {"reason": command.reason}


def _comment(case: Case, command: Comment, _by: str, _now: datetime, _periods: Periods) -> Decision:
    return CaseKind.COMMENTED, case, {"text": command.text}


def _due(case: Case, due_at: datetime) -> Case:
    """A new deadline begins anew: not overdue, and at the case's own tier."""
    return replace(case, due_at=due_at, overdue=False, tier=tier_of(case.region), next_check_at=due_at)


def _ended(case: Case, state: CaseState) -> Case:
    return replace(case, state=state, overdue=False, next_check_at=None)


_DECISIONS: Final[dict[type, Callable[..., Decision]]] = {
    Confirm: _confirm,
    Start: _start,
    Submit: _submit,
    Return: _return,
    Accept: _accept,
    Void: _void,
    Comment: _comment,
}
