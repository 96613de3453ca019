"""What hazards counts."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter, Histogram

from services.hazards import store
from services.hazards.domain.ledger import Ledger
from shared import telemetry
from shared.database import Connection
from shared.events.event import Event
from shared.vocabulary import CaseKind

CASES = Counter("fengsui_cases", "Steps of cases", ["kind"])
EVENT_TO_CASE = Histogram(
    "fengsui_event_to_case_seconds",
    "From the door's acceptance to the case",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
for _kind in CaseKind:
    CASES.labels(_kind.value)


def count(events: Sequence[Event], ledger: Ledger, now: datetime) -> None:
    """Counts the steps of a batch, and how long its events took to touch a case.

    A batch that is rolled back afterwards counts again, which a rate bears."""
    for _, step in ledger.steps:
        CASES.labels(step.kind.value).inc()
    touched = {step.cause for _, step in ledger.steps}
    for event in events:
        if event.accepted is not None and event.id in touched:
            EVENT_TO_CASE.observe((now - event.accepted).total_seconds())


async def look(db: Connection) -> None:
    """Shows how late the timers are."""
    for row in await db.fetch(store.LATE):
        telemetry.TIMER_LATE.labels(row["timer"]).set(row["late"])
