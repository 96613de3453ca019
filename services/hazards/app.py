"""Puts hazards together."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.hazards import handlers, metrics, routes, store
from services.hazards.schedule import TIMERS, finish
from shared.database import Connection
from shared.events.event import origin_id
from shared.operations import Pushed, stages
from shared.service import Service
from shared.settings import Settings

TAKINGS = (handlers.open_or_join_cases, handlers.open_reported_cases, handlers.acknowledge_alarms)


async def verdicts(db: Connection, events: list[Pushed]) -> list[dict[str, Any]]:
    """The verdict on each pushed event, and how often it stands on a timeline."""
    found = await stages(db, events, themselves=True)
    touched = {row["ord"]: row for row in await db.fetch(store.TOUCHED, [origin_id(e.source, e.id) for e in events])}
    for place, answer in enumerate(found, start=1):
        row = touched.get(place)
        answer |= {"effects": row["rows"] if row else 0, "doubled": row["doubled"] if row else 0}
    return found


async def traced(db: Connection, events: Sequence[UUID]) -> dict[str, Any]:
    """Where some events stand on timelines."""
    return {"steps": [dict(row) for row in await db.fetch(store.TRACED, events)]}


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    return Service(
        "hazards",
        settings,
        takings=TAKINGS,
        timers=TIMERS,
        routes=routes.add,
        stages=verdicts,
        traced=traced,
        look=metrics.look,
        finish=finish,
    )
