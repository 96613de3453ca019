"""Puts notify together."""

from collections.abc import Sequence
from typing import Any

from services.notify import handlers, routes
from services.notify.delivery import Sender
from services.notify.schedule import TIMERS
from services.notify.store.calls import CALLED
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


def _tasks(service: Service) -> Sequence[Task]:
    sender = Sender(service.settings, service.relay.wake)
    service.wakes.append(sender.wake)
    return (sender.run, sender.measure)


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    return Service("notify", settings, takings=TAKINGS, timers=TIMERS, routes=routes.add, tasks=_tasks, stages=verdicts)
