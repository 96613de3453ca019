"""What falls due: a tier that had its time and did not answer."""

from services.notify.domain.course import climbed
from services.notify.store import calls as store
from services.notify.store.duty import duty, routes
from services.notify.telling import keep
from shared.database import Connection
from shared.timers import Timer

BATCH = 100


async def escalate(db: Connection) -> int:
    """Open calls that nobody answered in time go to the next tier."""
    known, now = await store.due_calls(db, BATCH), await store.now(db)
    if known:
        on_duty, wanted = await duty(db, {call.region for call in known.values()}, now), await routes(db)
        decided = [climbed(call, on_duty, wanted, now) for call in known.values()]
        steps = ((call, step) for call, taken in decided for step in taken)
        await keep(db, known, [call for call, _ in decided], steps, now)
    return len(known)


TIMERS = (Timer("escalate", 0.5, escalate, BATCH),)
