"""What falls due: a tier that had its time and did not answer, and messages that are too old to keep."""

from datetime import timedelta
from functools import partial

from services.notify.domain.course import climbed
from services.notify.store import calls as store
from services.notify.store.deliveries import forget
from services.notify.store.duty import duty, routes
from services.notify.telling import keep
from shared.database import Connection
from shared.due import Due, Rows
from shared.timers import Timer

BATCH = 100
FORGET_BATCH = 2000


async def _escalate(db: Connection, rows: Rows) -> None:
    """Open calls that nobody answered in time go to the next tier."""
    known, now = await store.whole(db, rows), await store.now(db)
    on_duty, wanted = await duty(db, {call.region for call in known.values()}, now), await routes(db)
    decided = [climbed(call, on_duty, wanted, now) for call in known.values()]
    steps = ((call, step) for call, taken in decided for step in taken)
    await keep(db, known, [call for call, _ in decided], steps, now)


escalate = Due("escalate", store.due_calls, lambda row: str(row["id"]), _escalate, BATCH)
TIMERS = (Timer("escalate", 0.5, escalate, BATCH, vital=True),)


def forgetting(days: int) -> Timer:
    """Removes what was sent so many days ago, hour by hour."""
    step = partial(_forget, after=timedelta(days=days))
    return Timer("forget_messages", 3600.0, step, FORGET_BATCH)


async def _forget(db: Connection, after: timedelta) -> int:
    return await forget(db, after, FORGET_BATCH)
