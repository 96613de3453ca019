"""Calls as rows: loaded whole under their lock, and what a decision changed is saved."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from services.notify.domain.call import Call
from services.notify.domain.calls import ToldCase
from services.notify.domain.notification import Delivery, Message, Notification
from services.notify.shapes import message_body
from services.notify.store.rows import call_of, columns, delivery_of, notification_of
from shared.database import Connection
from shared.due import Rows
from shared.statements import statements

_SQL = statements("services.notify")
NOW = _SQL["now"]
REMEMBER_CASES = _SQL["remember_cases"]
LOCK_CASES = _SQL["lock_cases"]
ANSWER_CASES = _SQL["answer_cases"]
LOCK_CALLS_OF_CASES = _SQL["lock_calls_of_cases"]
LOCK_CALLS = _SQL["lock_calls"]
TAKE_DUE_CALLS = _SQL["take_due_calls"]
NOTIFICATIONS_OF = _SQL["notifications_of_calls"]
LOCK_DELIVERIES = _SQL["lock_deliveries"]
ADD_CALLS = _SQL["add_calls"]
SAVE_CALLS = _SQL["save_calls"]
ADD_NOTIFICATIONS = _SQL["add_notifications"]
SAVE_NOTIFICATIONS = _SQL["save_notifications"]
ADD_DELIVERIES = _SQL["add_deliveries"]
SAVE_DELIVERIES = _SQL["save_deliveries"]
ATTEMPTS_OF = _SQL["attempts_of"]
NOTIFICATION_BY_ID = _SQL["notification_by_id"]
LIST_NOTIFICATIONS = _SQL["list_notifications"]
CALLS_BY_ID = _SQL["calls_by_id"]
CALLS_OF_CASE = _SQL["calls_of_case"]
CALLED = _SQL["called"]


async def now(db: Connection) -> datetime:
    """The database's clock, the same all through a transaction."""
    moment: datetime = await db.fetchval(NOW)
    return moment


async def told_cases(db: Connection, cases: Iterable[UUID], begun: Iterable[UUID]) -> Sequence[ToldCase]:
    """What is remembered of cases, held for this transaction; of those begun, a row is made."""
    if new := sorted(set(begun)):
        await db.execute(REMEMBER_CASES, new)
    rows = await db.fetch(LOCK_CASES, sorted(set(cases)))
    return [ToldCase(row["id"], row["first_created_at"], row["answered_at"]) for row in rows]


async def answer_cases(db: Connection, cases: Iterable[UUID]) -> None:
    """Remembers that cases were answered."""
    await db.execute(ANSWER_CASES, sorted(set(cases)))


async def calls_of_cases(db: Connection, cases: Iterable[UUID]) -> dict[UUID, Call]:
    """The calls of cases that are not ended, held for this transaction."""
    return await whole(db, await db.fetch(LOCK_CALLS_OF_CASES, sorted(set(cases))))


async def calls_held(db: Connection, calls: Iterable[UUID]) -> dict[UUID, Call]:
    """Some calls, held for this transaction."""
    return await whole(db, await db.fetch(LOCK_CALLS, sorted(set(calls))))


async def due_calls(db: Connection, limit: int) -> Rows:
    """Calls whose next step is due, as rows."""
    return await db.fetch(TAKE_DUE_CALLS, limit)


async def whole(db: Connection, rows: Sequence[Any]) -> dict[UUID, Call]:
    """Rows of calls as values, with their notifications and deliveries."""
    if not rows:
        return {}
    ids = [row["id"] for row in rows]
    deliveries: dict[UUID, list[tuple[int, Delivery]]] = {}
    for row in await db.fetch(LOCK_DELIVERIES, ids):
        deliveries.setdefault(row["notification_id"], []).append((row["place"], delivery_of(row)))
    notifications: dict[UUID, list[Notification]] = {}
    for row in await notifications_of(db, ids):
        ordered = sorted(deliveries.get(row["id"], ()), key=lambda placed: placed[0])
        found = notification_of(row, tuple(delivery for _, delivery in ordered))
        notifications.setdefault(found.call, []).append(found)
    return {row["id"]: call_of(row, tuple(notifications.get(row["id"], ()))) for row in rows}


async def notifications_of(db: Connection, calls: Sequence[UUID]) -> list[Any]:
    """The notifications of some calls as rows, oldest first."""
    return sorted(await db.fetch(NOTIFICATIONS_OF, calls), key=itemgetter("created_at", "id"))


class _Fresh(NamedTuple):
    """A delivery that was just decided."""

    call: Call
    notification: Notification
    delivery: Delivery


async def save(db: Connection, known: Mapping[UUID, Call], changed: Iterable[Call], at: datetime) -> None:
    """Writes new calls whole, and of known ones what differs."""
    calls = sorted(changed, key=lambda call: call.id)
    await _save_calls(db, known, calls)
    before = {each.id: each for call in known.values() for each in call.notifications}
    after = [(call, each) for call in calls for each in call.notifications if before.get(each.id) != each]
    await _save_notifications(db, before, after)
    known_deliveries = {each.id: each for n in before.values() for each in n.deliveries}
    fresh = [_Fresh(c, n, d) for c, n in after for d in n.deliveries if d.id not in known_deliveries]
    await _add_deliveries(db, fresh, at)
    moved = sorted(
        (d.id, d.state.value, d.due_at)
        for _, n in after
        for d in n.deliveries
        if d.id in known_deliveries and known_deliveries[d.id] != d
    )
    if moved:
        await db.execute(SAVE_DELIVERIES, *columns(moved))


async def _save_calls(db: Connection, known: Mapping[UUID, Call], calls: Sequence[Call]) -> None:
    fresh = [
        (
            c.id, c.case, c.kind.value, c.is_alarm, c.level.value, c.title, c.region, c.enterprise, c.industry, c.point,
            c.origin and c.origin.source, c.origin and c.origin.id, c.occurred_at, c.opened_at, c.first_created_at,
            c.state.value, c.tier.value, c.next_step_at, c.answered_at, c.answered_by, c.over_at,
            c.traceparent,
        )
        for c in calls if c.id not in known
    ]  # fmt: skip
    if fresh:
        await db.execute(ADD_CALLS, *columns(fresh))
    moved = [_standing(c) for c in calls if c.id in known and _standing(known[c.id]) != _standing(c)]
    if moved:
        await db.execute(SAVE_CALLS, *columns(moved))


def _standing(c: Call) -> tuple[Any, ...]:
    """What may change of a call, its notifications aside."""
    return (c.id, c.state.value, c.tier.value, c.next_step_at, c.answered_at, c.answered_by, c.over_at)


async def _save_notifications(
    db: Connection, before: Mapping[UUID, Notification], after: Sequence[tuple[Call, Notification]]
) -> None:
    fresh = [
        (
            n.id, n.call, c.case, c.region, c.enterprise, n.tier.value, n.contact, n.on_duty, n.state.value, n.reason,
            n.created_at, n.acknowledged_at, n.acknowledged_by, n.ended_at,
        )
        for c, n in after if n.id not in before
    ]  # fmt: skip
    if fresh:
        await db.execute(ADD_NOTIFICATIONS, *columns(fresh))
    moved = [
        (n.id, n.tier.value, n.on_duty, n.state.value, n.acknowledged_at, n.acknowledged_by, n.ended_at)
        for _, n in after
        if n.id in before
    ]
    if moved:
        await db.execute(SAVE_NOTIFICATIONS, *columns(moved))


async def _add_deliveries(db: Connection, fresh: Sequence[_Fresh], at: datetime) -> None:
    if not fresh:
        return
    later = {n.id for _, n, d in fresh if d.message is not Message.CREATED}
    attempts = await attempts_of(db, later) if later else {}
    rows = [
        (
            d.id, n.id, c.id, n.deliveries.index(d), n.contact, d.message.value, d.state.value, d.tries, d.due_at,
            message_body(d.message, at, c, n, attempts.get(n.id, ())),
        )
        for c, n, d in fresh
    ]  # fmt: skip
    await db.execute(ADD_DELIVERIES, *columns(rows))


async def attempts_of(db: Connection, notifications: Iterable[UUID]) -> dict[UUID, list[Any]]:
    """The attempts of some notifications, oldest first."""
    rows = await db.fetch(ATTEMPTS_OF, list(notifications))
    return {name: list(found) for name, found in groupby(rows, key=lambda row: row["notification_id"])}
