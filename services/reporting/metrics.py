"""What reporting counts of itself."""

from collections.abc import Sequence
from math import nan

from prometheus_client import Counter, Gauge

from services.reporting import store
from services.reporting.domain.tally import COUNTED, Fact
from services.reporting.store import Recount
from shared.database import Connection
from shared.vocabulary import Level

FACTS = Counter("fengsui_facts", "Facts counted", ["measure"])
ROLLUPS_EQUAL = Gauge("fengsui_rollups_equal", "1 when the last recount found what the roll-ups hold; NaN before one")
CASES_OPEN = Gauge("fengsui_cases_open", "Cases that are open", ["level"])
CASES_OVERDUE = Gauge("fengsui_cases_overdue", "Open cases past their deadline", ["level"])
ROLLUPS_EQUAL.set(nan)
for _measure in COUNTED:
    FACTS.labels(_measure.value)


def count(facts: Sequence[Fact]) -> None:
    """Counts the facts of a batch; a batch that is rolled back afterwards counts again, which a rate bears."""
    for fact in facts:
        FACTS.labels(fact.key.measure.value).inc()


def recounted(recount: Recount) -> None:
    """Shows what the last recount found."""
    ROLLUPS_EQUAL.set(recount.differing == 0)


async def look(db: Connection) -> None:
    """Shows how cases stand."""
    rows = {row["level"]: row for row in await db.fetch(store.STANDING)}
    for level in Level:
        row = rows.get(level.value)
        CASES_OPEN.labels(level.value).set(row["open"] if row else 0)
        CASES_OVERDUE.labels(level.value).set(row["overdue"] if row else 0)
