"""A call (呼叫): all that is told because of one step of a case, tier by tier, until somebody answers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.notify.domain.notification import Notification
from shared.events.event import Origin, derived_id
from shared.events.notifications import NotificationChanged, NotificationData
from shared.vocabulary import CaseKind, Level, NotificationKind, Tier

SOURCE: Final = "//fengsui/notify"


class CallState(StrEnum):
    """Where a call stands."""

    OPEN = "open"  # nobody has answered; the next step has its time
    ANSWERED = "answered"
    EXHAUSTED = "exhausted"  # nobody answered and nobody is left to ask; it may still be answered
    ENDED = "ended"  # answered, and over


@dataclass(frozen=True, slots=True)
class Call:
    """How a call stands; its id is that of the case's event that called."""

    id: UUID
    case: UUID
    kind: CaseKind
    is_alarm: bool
    """Whether it is over with the alarm; any other call is over with the case."""
    level: Level
    title: str
    region: str
    enterprise: str
    industry: str
    point: str | None
    origin: Origin | None
    occurred_at: datetime
    opened_at: datetime
    first_created_at: datetime
    """When the first notification of the case was created, for this or an earlier call."""
    state: CallState
    tier: Tier
    next_step_at: datetime | None
    answered_at: datetime | None = None
    answered_by: str | None = None
    over_at: datetime | None = None
    traceparent: str | None = None
    """The trace of what called; all that is told because of it belongs there, hours later too."""
    notifications: tuple[Notification, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether an answer would be the first."""
        return self.state in {CallState.OPEN, CallState.EXHAUSTED}

    def live(self) -> list[Notification]:
        """The notifications by which its tier may still answer."""
        return [each for each in self.notifications if each.on_duty and each.is_live and each.tier is self.tier]


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a notification, and how it stood after that."""

    kind: NotificationKind
    notification: Notification
    by: str | None = None
    case_first: bool = False


@dataclass
class Steps:
    """The steps of one decision, in order."""

    taken: list[Step] = field(default_factory=list)

    def add(self, kind: NotificationKind, after: Notification, by: str | None = None) -> Notification:
        self.taken.append(Step(kind, after, by))
        return after


Decided = tuple[Call, list[Step]]


def tell(call: Call, step: Step, now: datetime) -> NotificationChanged:
    """What others hear of a step. Each kind happens to a notification once, so the two make the event's id."""
    after = step.notification
    return NotificationChanged(
        id=derived_id(after.id, step.kind),
        source=SOURCE,
        time=now,
        enterprise=call.enterprise,
        region=call.region,
        industry=call.industry,
        traceparent=call.traceparent,
        data=NotificationData(
            notification=after.id,
            kind=step.kind,
            state=after.state,
            case=call.case,
            call=call.id,
            contact=after.contact,
            tier=after.tier,
            level=call.level,
            title=call.title,
            by=step.by,
            reason=after.reason,
            event=call.origin,
            point=call.point,
            case_first=step.case_first,
            first_created_at=call.first_created_at,
        ),
    )
