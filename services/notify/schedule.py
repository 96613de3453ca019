"""What falls due: a tier that had its time and did not answer."""

from services.notify import metrics
from services.notify.domain.call import CallState, climbed, tell
from services.notify.store import calls as store
from services.notify.store.duty import duty, routes
from shared import outbox, telemetry
from shared.database import Connection
from shared.timers import Timer
from shared.topics import NOTIFICATIONS

BATCH = 100


async def escalate(db: Connection) -> int:
    """Open calls that nobody answered in time go to the next tier."""
    known, now = await store.due_calls(db, BATCH), await store.now(db)
    if not known:
        return 0
    on_duty, wanted = await duty(db, {call.region for call in known.values()}, now), await routes(db)
    decided = [climbed(call, on_duty, wanted, now) for call in known.values()]
    await store.save(db, known, (call for call, _ in decided), now)
    await outbox.put(db, NOTIFICATIONS, [tell(call, step, now) for call, steps in decided for step in steps])
    for call, steps in decided:
        metrics.count(steps)
        if call.state is CallState.EXHAUSTED:
            telemetry.log.error("nobody_answers", call=str(call.id), case=str(call.case), region=call.region)
    return len(known)


TIMERS = (Timer("escalate", 0.5, escalate, BATCH),)
