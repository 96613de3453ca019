"""After a restore nobody is told again what had arrived before it, and whoever had answered has answered."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.notify.domain.calls import ToldCase
from services.notify.domain.course import answered
from services.notify.domain.notification import arrived
from services.notify.store import calls, recalled
from services.notify.telling import keep
from shared import recovery
from shared.database import Connection
from shared.events.notifications import NotificationChanged
from shared.topics import NOTIFICATIONS
from shared.vocabulary import NotificationKind

BATCH = 500


async def remembered(db: Connection, told: Sequence[ToldCase]) -> Sequence[ToldCase]:
    """What is remembered of cases, and after a restore what the bus remembers of them."""
    if not await recovery.under_way(db):
        return told
    found: dict[UUID, list[NotificationChanged]] = {}
    for event in map(_event, await recovery.recalled(db, (case.case for case in told))):
        found.setdefault(event.data.case, []).append(event)
    return [_as_told(case, found.get(case.case, ())) for case in told]


def _as_told(case: ToldCase, events: Sequence[NotificationChanged]) -> ToldCase:
    if not events:
        return case
    answers = [event.time for event in events if event.data.kind is NotificationKind.ACKNOWLEDGED]
    first = min(event.data.first_created_at for event in events)
    return replace(case, first_created_at=first, answered_at=case.answered_at or min(answers, default=None))


async def finish(db: Connection) -> int:
    """A part of what had been told: its messages count as arrived, its answers as given."""
    events = [_event(body) for body in await recalled.take(db, BATCH)]
    if not events:
        return 0
    messages = (arrived(event.data.notification, event.data.kind) for event in events)
    await recalled.add_told(db, {message for message in messages if message is not None})
    given = {event.data.call: event for event in reversed(events) if event.data.kind is NotificationKind.ACKNOWLEDGED}
    known, now = await calls.calls_held(db, given), await calls.now(db)
    decided = [answered(c, given[c.id].data.by or "", given[c.id].time) for c in known.values() if c.waits]
    steps = [(call, step) for call, taken in decided for step in taken]
    await keep(db, known, [call for call, _ in decided], steps, now)
    await recalled.correct_cases(db, events)
    return len(events)


def _event(body: bytes) -> NotificationChanged:
    event: NotificationChanged = NOTIFICATIONS.reader.validate_json(body)
    return event
