"""What reporting counts of itself."""

from collections.abc import Sequence
from math import nan

from prometheus_client import Counter, Gauge

from services.reporting.domain.tally import COUNTED, Fact
from services.reporting.store import Recount

FACTS = Counter("fengsui_facts", "Facts counted", ["measure"])
ROLLUPS_EQUAL = Gauge("fengsui_rollups_equal", "1 when the last recount found what the roll-ups hold; NaN before one")
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
