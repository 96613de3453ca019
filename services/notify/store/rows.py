"""Rows of notify's tables as values, and values as the columns that a statement takes."""

from collections.abc import Sequence
from typing import Any

from services.notify.domain.call import Call, CallState
from services.notify.domain.notification import Delivery, DeliveryState, Message, Notification
from shared.events.event import Origin
from shared.vocabulary import CaseKind, Level, NotificationState, Tier


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows as the columns that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)]


def call_of(row: Any, notifications: tuple[Notification, ...] = ()) -> Call:
    """A row of `calls` as a value."""
    odd = {"case", "origin", "notifications"}
    fields = {name: row[name] for name in Call.__dataclass_fields__ if name not in odd}
    return Call(
        **fields
        | {
            "case": row["case_id"],
            "kind": CaseKind(row["kind"]),
            "level": Level(row["level"]),
            "state": CallState(row["state"]),
            "tier": Tier(row["tier"]),
            "origin": Origin(source=row["source"], id=row["pushid"]) if row["source"] is not None else None,
            "notifications": notifications,
        }
    )


def notification_of(row: Any, deliveries: tuple[Delivery, ...] = ()) -> Notification:
    """A row of `notifications` as a value."""
    return Notification(
        id=row["id"],
        call=row["call_id"],
        tier=Tier(row["tier"]),
        contact=row["contact"],
        on_duty=row["on_duty"],
        state=NotificationState(row["state"]),
        reason=row["reason"],
        created_at=row["created_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        ended_at=row["ended_at"],
        deliveries=deliveries,
    )


def delivery_of(row: Any) -> Delivery:
    """A row of `deliveries` as a value."""
    return Delivery(row["id"], Message(row["message"]), DeliveryState(row["state"]), row["tries"], row["due_at"])
