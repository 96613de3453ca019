"""What happens to a notification (通知): one message to one person about one thing."""

from typing import Any, Literal
from uuid import UUID

from shared.events.event import Event, Moment, Origin, Value
from shared.vocabulary import Level, NotificationKind, NotificationState, Tier


class NotificationData(Value):
    """One step of a notification and how it stands after it."""

    notification: UUID
    kind: NotificationKind
    state: NotificationState
    case: UUID
    call: UUID
    """The call (呼叫) it belongs to: all that was told, tier by tier, because of one step of the case."""
    contact: str | None = None
    tier: Tier
    level: Level
    title: str
    by: str | None = None
    reason: str | None = None
    detail: dict[str, Any] = {}
    event: Origin | None = None
    point: str | None = None
    case_first: bool = False
    """The first answer that anyone gave for this case."""
    first_created_at: Moment
    """When the first notification of this case was created."""


class NotificationChanged(Event):
    """`time` is when it happened."""

    type: Literal["fengsui.notification.v1"] = "fengsui.notification.v1"
    data: NotificationData
