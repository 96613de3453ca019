"""A batch of signs folded into the ledger (台账), one after the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from services.hazards.domain.alarm import SERIOUS, AlarmKey, BoardAlarm, Turn, after, as_alarm
from services.hazards.domain.case import Case, Step, after_alarm, after_clearing, after_report, alarm_cause
from services.hazards.domain.deadlines import Periods
from services.hazards.domain.recall import Recalled, again, before
from shared.events.alarms import Alarm
from shared.events.event import derived_id
from shared.events.hazards import HazardReport
from shared.vocabulary import GRAVITY, AlarmState, Level


@dataclass(frozen=True, slots=True)
class Policy:
    """When a yellow or blue alarm opens a case after all; None: never."""

    repeats: int | None = None
    """So many occurrences since the board knows it."""
    unanswered: timedelta | None = None
    """So long in alarm without an answer."""


Policies = Mapping[Level, Policy]


@dataclass
class Ledger:
    """What a batch needs to know, and what it changes; `cases` holds the open case of each cause."""

    board: dict[AlarmKey, BoardAlarm] = field(default_factory=dict)
    cases: dict[UUID, Case] = field(default_factory=dict)
    steps: list[tuple[Case, Step]] = field(default_factory=list)
    held: dict[UUID, str] = field(default_factory=dict)
    changed: dict[AlarmKey, BoardAlarm] = field(default_factory=dict)
    recalled: Recalled = field(default_factory=dict)
    """After a restore: what had become of the cases, each step at its version."""

    def take(self, alarm: Alarm, periods: Periods, policies: Policies) -> None:
        """One alarm: onto the board, then to its case, or held with the reason."""
        key = AlarmKey(alarm.enterprise, alarm.data.point, alarm.data.level)
        cause = alarm_cause(alarm.enterprise, alarm.data.point)
        if self.recalled:
            self._wait_in_vain(cause, key.enterprise, key.point, periods, alarm)
        place, turn = after(self.board.get(key), alarm)
        case = self.cases.get(cause)
        match turn:
            case Turn.STALE | Turn.NOTHING:
                self.held[alarm.id] = turn.value
            case Turn.CLEARED:
                if case is None or alarm.data.level not in case.active:
                    self.held[alarm.id] = "no_open_case"
                else:
                    self._keep(cause, *after_clearing(case, alarm), periods)
            case Turn.RAISED | Turn.AGAIN | Turn.LATE:
                policy = policies.get(alarm.data.level, Policy())
                if self._concerns(case, place, policy):
                    case = self._keep(cause, *after_alarm(case, alarm, turn, periods), periods)
                    if place.case != case.id or place.unanswered_at is not None:
                        place = replace(place, case=case.id, unanswered_at=None)
                else:
                    self.held[alarm.id] = "no_case_by_policy"
                    if turn is Turn.RAISED and policy.unanswered is not None:
                        place = replace(place, unanswered_at=(alarm.accepted or alarm.time) + policy.unanswered)
        self.board[key] = self.changed[key] = place

    @staticmethod
    def _concerns(case: Case | None, place: BoardAlarm, policy: Policy) -> bool:
        level = place.key.level
        if level in SERIOUS:
            return True
        if case is not None:
            return GRAVITY[level] >= GRAVITY[case.level]
        return policy.repeats is not None and place.occurrences >= policy.repeats

    def report(self, report: HazardReport, periods: Periods) -> None:
        """One hazard report: a case of its own."""
        self._keep(report.id, *after_report(report, periods), periods)

    def _keep(self, cause: UUID, case: Case, step: Step, periods: Periods) -> Case:
        self.steps.append((case, step))
        return self.know(cause, case, periods)

    def know(self, cause: UUID, case: Case, periods: Periods) -> Case:
        """How a case stands, once what was recalled of it at this version is taken again."""
        if self.recalled and (more := again(case, self.recalled, periods)):
            self.steps += more
            case = more[-1][0]
        if case.is_open:
            self.cases[cause] = case
        else:
            self.cases.pop(cause, None)
        return case

    def resume(self, case: Case, periods: Periods) -> None:
        """After a restore: what people, the clock and alarms that waited had made of a case, where no sign follows."""
        self.know(case.cause, case, periods)
        if case.point is not None:
            self._wait_in_vain(case.cause, case.enterprise, case.point, periods)

    def _wait_in_vain(
        self, cause: UUID, enterprise: str, point: str, periods: Periods, sign: Alarm | None = None
    ) -> None:
        """Before a restore nobody had answered an alarm of the point, and so it opened a case or joined one: here, if
        what was told of the sign that comes now stood behind it, or no sign comes any more."""
        while True:
            for place, waiting in self._waiting(enterprise, point):
                case = self.cases.get(cause)
                step = (case.id, case.version + 1) if case else (derived_id(waiting.id, "opened"), 1)
                event = self.recalled.get(step)
                if event is None or event.id != derived_id(waiting.id, "case"):
                    continue
                if sign is None or _ends(sign, place) or self._was_before(sign, step, case):
                    case = self._keep(cause, *after_alarm(case, waiting, Turn.RAISED, periods), periods)
                    answered = replace(place, case=case.id, unanswered_at=None)
                    self.board[place.key] = self.changed[place.key] = answered
                    break
            else:
                return

    def _was_before(self, sign: Alarm, step: tuple[UUID, int], case: Case | None) -> bool:
        told = next((at for at, event in self.recalled.items() if event.id == derived_id(sign.id, "case")), None)
        return before(self.recalled, step, told, touches=case is not None and _touches(sign, case))

    def _waiting(self, enterprise: str, point: str) -> list[tuple[BoardAlarm, Alarm]]:
        places = [self.board.get(AlarmKey(enterprise, point, level)) for level in Level]
        return [(place, as_alarm(place)) for place in places if place is not None and place.unanswered_at is not None]


def _ends(sign: Alarm, place: BoardAlarm) -> bool:
    """Whether the sign ends the alarm of a place: what waits there can only have waited until then."""
    return sign.data.state is AlarmState.CLEARED and sign.data.level is place.key.level


def _touches(sign: Alarm, case: Case) -> bool:
    """Whether the sign has a step in the open case of its point."""
    if sign.data.state is AlarmState.CLEARED:
        return sign.data.level in case.active
    return sign.data.level in SERIOUS or GRAVITY[sign.data.level] >= GRAVITY[case.level]


def take_alarms(
    board: Iterable[BoardAlarm],
    cases: Iterable[Case],
    alarms: Sequence[Alarm],
    periods: Periods,
    policies: Policies,
    recalled: Recalled = MappingProxyType({}),
) -> Ledger:
    """The ledger after a batch of alarms, given what was known of their points."""
    ledger = Ledger({place.key: place for place in board}, recalled=recalled)
    for case in cases:
        ledger.know(case.cause, case, periods)
    for alarm in alarms:
        ledger.take(alarm, periods, policies)
    return ledger
