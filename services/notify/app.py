"""Puts notify together."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.notify import handlers, metrics, recovery, routes
from services.notify.delivery import Sender
from services.notify.schedule import TIMERS, forgetting
from services.notify.shapes import notification_json
from services.notify.store.calls import CALLED, CALLS_BY_ID, attempts_of, notifications_of
from services.notify.store.rows import call_of, notification_of
from shared.database import Connection
from shared.events.event import origin_id
from shared.operations import Pushed, stages
from shared.service import Service, Task
from shared.settings import Settings

TAKINGS = (handlers.call_people,)


async def verdicts(db: Connection, events: list[Pushed]) -> list[dict[str, Any]]:
    """What every service answers, how many calls each event made, and how many of them were one too many."""
    found = await stages(db, events)
    rows = {row["ord"]: row for row in await db.fetch(CALLED, [origin_id(e.source, e.id) for e in events])}
    return [
        answer
        | {
            "effects": rows[place]["calls"] if place in rows else 0,
            "doubled": rows[place]["doubled"] if place in rows else 0,
        }
        for place, answer in enumerate(found, start=1)
    ]


async def traced(db: Connection, events: Sequence[UUID]) -> dict[str, Any]:
    """The calls that some events made, and who was told how."""
    calls = {row["id"]: call_of(row) for row in await db.fetch(CALLS_BY_ID, events)}
    told = [notification_of(row) for row in await notifications_of(db, list(calls))]
    attempts = await attempts_of(db, [each.id for each in told])
    standing = ("id", "case", "enterprise", "kind", "state", "tier", "opened_at", "answered_at", "answered_by")
    return {
        "calls": [{name: getattr(call, name) for name in standing} for call in calls.values()],
        "notifications": [notification_json(calls[each.call], each, attempts.get(each.id, ())) for each in told],
    }


def _tasks(service: Service) -> Sequence[Task]:
    sender = Sender(service.settings, service.relay.wake)
    service.wakes.append(sender.wake)
    service.checks.append(sender.reason)
    return (sender.run,)


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    return Service(
        "notify",
        settings,
        takings=TAKINGS,
        timers=(*TIMERS, forgetting(settings.message_days)),
        routes=routes.add,
        tasks=_tasks,
        stages=verdicts,
        traced=traced,
        look=metrics.look,
        finish=recovery.finish,
    )
