"""A notification (通知) to one contact, and the messages that carry what happens to it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.events.event import derived_id
from shared.vocabulary import NotificationKind, NotificationState, Tier

MOST_TRIES: Final = 20
LONGEST_PAUSE_S: Final = 60.0


class Message(StrEnum):
    """What a contact is told of a notification; the type of the webhook."""

    CREATED = "created"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


class DeliveryState(StrEnum):
    """Where a message stands on its way."""

    WAITING = "waiting"  # to be sent when it is due
    BEHIND = "behind"  # an earlier message of the notification comes first
    SENDING = "sending"  # a call is under way; due again when its lease ends
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Result(StrEnum):
    """What a channel says of one attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A channel's answer; `retry_after` is the least pause in seconds that the receiver asked for."""

    result: Result
    detail: str
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way; its id is the `webhook-id`, the same at every attempt."""

    id: UUID
    message: Message
    state: DeliveryState
    tries: int
    due_at: datetime

    @property
    def is_over(self) -> bool:
        return self.state in {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Notification:
    """How a notification stands; without a contact it is held, for nobody could be told."""

    id: UUID
    call: UUID
    tier: Tier
    contact: str | None
    on_duty: bool
    """Whether it asks for an answer; a system that is only told along does not stand for its tier."""
    state: NotificationState
    reason: str | None
    created_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    ended_at: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether an answer to it may still come in time."""
        return self.state in {NotificationState.PENDING, NotificationState.SENT}

    @property
    def is_known(self) -> bool:
        """Whether its contact was told, or will be."""
        return any(
            each.message is Message.CREATED and each.state not in {DeliveryState.FAILED, DeliveryState.WITHDRAWN}
            for each in self.deliveries
        )

    @property
    def can_be_acknowledged(self) -> bool:
        return self.state not in {NotificationState.HELD, NotificationState.WITHDRAWN}


def notification_id(call: UUID, tier: Tier, contact: str) -> UUID:
    """One per call, tier and contact."""
    return derived_id(call, tier, contact)


_ARRIVED: Final = {
    NotificationKind.DELIVERED: Message.CREATED,
    NotificationKind.ESCALATED: Message.ESCALATED,
    NotificationKind.ACKNOWLEDGED: Message.ACKNOWLEDGED,
    NotificationKind.ENDED: Message.ENDED,
}


def arrived(notification: UUID, kind: NotificationKind) -> UUID | None:
    """The message that has arrived, or was on its way, when a notification's step is on the bus."""
    return derived_id(notification, _ARRIVED[kind]) if kind in _ARRIVED else None


def created(call: UUID, tier: Tier, contact: str, now: datetime, *, on_duty: bool) -> Notification:
    """A new notification, with its first message."""
    name = notification_id(call, tier, contact)
    fresh = Notification(name, call, tier, contact, on_duty, NotificationState.PENDING, None, now)
    return _say(fresh, Message.CREATED, now)


def held(call: UUID, tier: Tier, reason: str, now: datetime) -> Notification:
    """What stands where nobody could be told at a tier."""
    return Notification(
        notification_id(call, tier, ""), call, tier, None, False, NotificationState.HELD, reason, now, ended_at=now
    )


def escalated(known: Notification, now: datetime) -> Notification:
    """Nobody answered in time; the next tier has its own notification."""
    return _say(replace(known, state=NotificationState.ESCALATED), Message.ESCALATED, now)


def acknowledged(known: Notification, by: str, now: datetime) -> Notification:
    """Somebody answered: what was not sent yet is withdrawn, and whoever was told hears of the answer."""
    withdrawn = tuple(
        replace(each, state=DeliveryState.WITHDRAWN)
        if each.state in {DeliveryState.WAITING, DeliveryState.BEHIND} and each.message is not Message.ENDED
        else each
        for each in known.deliveries
    )
    answered = replace(
        known,
        state=NotificationState.ACKNOWLEDGED,
        acknowledged_at=now,
        acknowledged_by=by,
        deliveries=withdrawn,
    )
    return _say(_let_through(_drop_if_unknown(answered), now), Message.ACKNOWLEDGED, now)


def ended(known: Notification, now: datetime) -> Notification:
    """Whoever was told that it began is told that it ended; once."""
    return _say(replace(known, ended_at=now), Message.ENDED, now) if known.ended_at is None else known


def settled(known: Notification, delivery: UUID, outcome: Outcome, now: datetime) -> Notification:
    """The notification once the channel has answered for one of its messages."""
    settling = next(each for each in known.deliveries if each.id == delivery)
    state, due_at = _after(settling, outcome, known, now)
    settling = replace(settling, state=state, due_at=due_at)
    known = replace(known, deliveries=tuple(settling if each.id == delivery else each for each in known.deliveries))
    if settling.message is Message.CREATED and known.state is NotificationState.PENDING:
        if state is DeliveryState.DELIVERED:
            known = replace(known, state=NotificationState.SENT)
        elif state is DeliveryState.FAILED:
            known = replace(known, state=NotificationState.FAILED)
    return _let_through(_drop_if_unknown(known), now)


def _after(settling: Delivery, outcome: Outcome, known: Notification, now: datetime) -> tuple[DeliveryState, datetime]:
    answered = known.state is NotificationState.ACKNOWLEDGED
    match outcome.result:
        case Result.DELIVERED:
            return DeliveryState.DELIVERED, now
        case Result.RETRY if answered and settling.message in {Message.CREATED, Message.ESCALATED}:
            return DeliveryState.WITHDRAWN, now
        case Result.RETRY if settling.tries < MOST_TRIES:
            return DeliveryState.WAITING, now + timedelta(seconds=pause(settling.id, settling.tries, outcome))
        case _:
            return DeliveryState.FAILED, now


def pause(delivery: UUID, tries: int, outcome: Outcome) -> float:
    """Seconds until the next attempt: from 1 doubling to 60, spread by the id so that many do not come at once."""
    spread = 0.75 + (delivery.int >> (5 * tries) & 0x3FF) / 2048
    return max(min(2.0 ** (tries - 1), LONGEST_PAUSE_S) * spread, outcome.retry_after)


def _say(known: Notification, message: Message, now: datetime) -> Notification:
    """Adds a message behind those on their way; whoever does not know the beginning hears nothing of the rest."""
    if message is not Message.CREATED and not known.is_known:
        return known
    state = DeliveryState.WAITING if all(each.is_over for each in known.deliveries) else DeliveryState.BEHIND
    fresh = Delivery(derived_id(known.id, message), message, state, 0, now)
    return replace(known, deliveries=(*known.deliveries, fresh))


def _drop_if_unknown(known: Notification) -> Notification:
    if known.is_known:
        return known
    return replace(
        known,
        deliveries=tuple(
            each if each.is_over else replace(each, state=DeliveryState.WITHDRAWN) for each in known.deliveries
        ),
    )


def _let_through(known: Notification, now: datetime) -> Notification:
    """The first message that is not over may go."""
    first = next((each for each in known.deliveries if not each.is_over), None)
    if first is None or first.state is not DeliveryState.BEHIND:
        return known
    freed = replace(first, state=DeliveryState.WAITING, due_at=now)
    return replace(known, deliveries=tuple(freed if each is first else each for each in known.deliveries))
