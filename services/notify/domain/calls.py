"""A batch of what happened to cases, folded into calls one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.notify.domain.call import Call, Decided, Step
from services.notify.domain.course import answered, opened, over
from services.notify.domain.duty import Duty
from services.notify.domain.route import Routes
from shared.events.cases import CaseChanged
from shared.vocabulary import CaseKind

CALLING = frozenset({CaseKind.OPENED, CaseKind.WORSENED, CaseKind.OVERDUE, CaseKind.ESCALATED})
ENDING = frozenset({CaseKind.ACCEPTED, CaseKind.VOIDED})
ANSWERING = frozenset({CaseKind.CONFIRMED, CaseKind.STARTED, CaseKind.RETURNED}) | ENDING


WAITING_LIMIT = 10
"""Unanswered calls of one case after which its returns call nobody anew: a flapping sensor is no flood."""


@dataclass(frozen=True, slots=True)
class ToldCase:
    """What is remembered of a case for good: when it was first told of, and when it was first answered."""

    case: UUID
    first_created_at: datetime
    answered_at: datetime | None = None


def calls_people(event: CaseChanged) -> bool:
    """Whether somebody must be told: it began, it grew worse, it is here again, or nobody kept the deadline."""
    return event.data.kind in CALLING or (event.data.kind is CaseKind.REPEATED and event.data.returned)


@dataclass
class Calls:
    """What a batch needs to know, and what it changes; `calls` holds those of each case that are not ended."""

    cases: dict[UUID, ToldCase]
    calls: dict[UUID, dict[UUID, Call]]
    duty: Duty
    routes: Routes
    now: datetime
    steps: list[tuple[Call, Step]] = field(default_factory=list)
    held: dict[UUID, str] = field(default_factory=dict)
    changed: dict[UUID, Call] = field(default_factory=dict)

    def take(self, event: CaseChanged) -> None:
        """One event: a call, an answer, an end, or held with the reason."""
        kind = event.data.kind
        if kind is CaseKind.REPEATED and sum(call.waits for call in self._of(event)) >= WAITING_LIMIT:
            self.held[event.id] = "already_asked"
        elif calls_people(event):
            first = self.cases.setdefault(event.data.case, ToldCase(event.data.case, self.now))
            self._keep(opened(event, first.first_created_at, self.duty, self.routes, self.now))
        elif kind in ANSWERING:
            self._answer(event)
        elif kind is CaseKind.CLEARED:
            self._clear(event)
        else:
            self.held[event.id] = "already_told" if kind is CaseKind.REPEATED else "concerns_nobody_on_duty"

    def _answer(self, event: CaseChanged) -> None:
        ends = event.data.kind in ENDING
        affected = [call for call in self._of(event) if call.waits or (ends and call.over_at is None)]
        if not affected:
            self.held[event.id] = "nothing_to_answer"
            return
        case = self.cases[event.data.case]
        first = case.answered_at is None
        for call in filter(lambda call: call.waits, affected):
            said = self._keep(answered(call, event.data.by, self.now, case_first=first))
            first = first and not said
            self.cases[case.case] = ToldCase(case.case, case.first_created_at, case.answered_at or self.now)
        if ends:
            for call in self._of(event):
                self._keep(over(call, self.now))

    def _clear(self, event: CaseChanged) -> None:
        ending = [call for call in self._of(event) if call.is_alarm and call.over_at is None]
        if event.data.in_alarm or not ending:
            self.held[event.id] = "still_in_alarm" if event.data.in_alarm else "nothing_to_end"
            return
        for call in ending:
            self._keep(over(call, self.now))

    def _of(self, event: CaseChanged) -> list[Call]:
        return list(self.calls.get(event.data.case, {}).values())

    def _keep(self, decided: Decided) -> list[Step]:
        call, steps = decided
        self.calls.setdefault(call.case, {})[call.id] = self.changed[call.id] = call
        self.steps += [(call, step) for step in steps]
        return steps


def take_events(
    cases: Iterable[ToldCase],
    calls: Iterable[Call],
    events: Sequence[CaseChanged],
    duty: Duty,
    routes: Routes,
    now: datetime,
) -> Calls:
    """The calls after a batch, given what was known of its cases."""
    board = Calls({case.case: case for case in cases}, {}, duty, routes, now)
    for call in calls:
        board.calls.setdefault(call.case, {})[call.id] = call
    for event in events:
        board.take(event)
    return board
