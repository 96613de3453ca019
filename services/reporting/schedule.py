"""What happens because time passed: the roll-ups are held against a recount."""

from services.reporting import metrics, store
from shared import telemetry
from shared.database import Connection
from shared.timers import Timer


async def recount(db: Connection) -> int:
    """Proves the figures hourly, and once at the start; what does not add up is logged and shown as a metric."""
    found = await store.recount(db)
    metrics.recounted(found)
    if found.differing:
        telemetry.log.error("rollups_differ", compared=found.compared, differing=found.differing)
    return 0


TIMERS = (Timer("recount", 3600.0, recount),)
