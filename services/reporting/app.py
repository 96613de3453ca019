"""Puts reporting together."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.reporting import handlers, metrics, routes, store
from services.reporting.schedule import TIMERS
from shared.database import Connection
from shared.events.event import origin_id
from shared.operations import Pushed, stages
from shared.service import Service
from shared.settings import Settings

TAKINGS = (
    handlers.count_alarms,
    handlers.leave_reports_to_cases,
    handlers.count_cases,
    handlers.count_answers,
    handlers.keep_names,
)


async def verdicts(db: Connection, events: list[Pushed]) -> list[dict[str, Any]]:
    """For each pushed event its own verdicts, and the facts that came of it.

    `verdicts` and `held` are of the pushed event alone: none is missing. `effects` are all facts of that origin: its
    own, the case that it opened, the first answer. A push is doubled when an enterprise has two facts of one measure
    by it; `doubled` is how many are too many. (Two enterprises may use the same names; their facts are not each
    other's doubles.)
    """
    found = [answer | {"effects": 0, "doubled": 0} for answer in await stages(db, events, themselves=True)]
    origins = [origin_id(event.source, event.id) for event in events]
    for row in await db.fetch(store.EFFECTS, origins):
        found[row["ord"] - 1] |= {"effects": row["effects"], "doubled": row["doubled"]}
    return found


async def traced(db: Connection, events: Sequence[UUID]) -> dict[str, Any]:
    """The facts that came of some events."""
    return {"facts": [dict(row) for row in await db.fetch(store.TRACED, events)]}


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    return Service(
        "reporting",
        settings,
        takings=TAKINGS,
        timers=TIMERS,
        routes=routes.add,
        stages=verdicts,
        traced=traced,
        look=metrics.look,
    )
