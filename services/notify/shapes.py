"""How a notification looks to who asks and to whom it is sent (contracts, "Notifications")."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from services.notify.domain.call import Call
from services.notify.domain.notification import Message, Notification


def notification_json(call: Call, known: Notification, attempts: Iterable[Any]) -> dict[str, Any]:
    """A notification as the contract has it; `kind` is the step of the case that called, `reason` why it is held."""
    return {
        "id": known.id,
        "case": call.case,
        "call": call.id,
        "contact": known.contact,
        "region": call.region,
        "enterprise": call.enterprise,
        "point": call.point,
        "tier": known.tier,
        "level": call.level,
        "kind": call.kind,
        "title": call.title,
        "state": known.state,
        "reason": known.reason,
        "occurred_at": call.occurred_at,
        "created_at": known.created_at,
        "acknowledged_at": known.acknowledged_at,
        "acknowledged_by": known.acknowledged_by,
        "ended_at": known.ended_at,
        "attempts": [_attempt_json(row) for row in attempts],
        "event": call.origin and {"source": call.origin.source, "id": call.origin.id},
    }


def message_body(message: Message, at: datetime, call: Call, known: Notification, attempts: Iterable[Any]) -> bytes:
    """What a webhook carries: the notification as it stood when the message was decided."""
    data = notification_json(call, known, attempts)
    return orjson.dumps(
        {"type": f"notification.{message}", "timestamp": at, "data": data}, default=str
    )  # asyncpg has its own UUID


def _attempt_json(row: Any) -> dict[str, Any]:
    return {
        "channel": row["channel"],
        "message": row["message"],
        "at": row["at"],
        "outcome": row["outcome"],
        "detail": row["detail"],
    }
