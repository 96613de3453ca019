"""What a decision changed is kept, and others hear of it, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.notify import metrics
from services.notify.domain.call import Call, CallState, Step, tell
from services.notify.store import calls as store
from shared import outbox, telemetry
from shared.database import Connection
from shared.topics import NOTIFICATIONS


async def keep(
    db: Connection,
    known: Mapping[UUID, Call],
    changed: Sequence[Call],
    steps: Iterable[tuple[Call, Step]],
    now: datetime,
) -> None:
    """Saves calls and says their steps."""
    taken = list(steps)
    await store.save(db, known, changed, now)
    await outbox.put(db, NOTIFICATIONS, [tell(call, step, now) for call, step in taken])
    metrics.count(step for _, step in taken)
    for call in changed:
        before = known.get(call.id)
        if call.state is CallState.EXHAUSTED and (before is None or before.state is not CallState.EXHAUSTED):
            telemetry.log.error("nobody_answers", call=str(call.id), case=str(call.case), region=call.region)
