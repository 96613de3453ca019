"""A real machine's temperature up to its catastrophic failure (Numenta Anomaly Benchmark), replayed a row a second."""

import csv
import io
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from deploy.demo.signals import Reading

ENTERPRISE: Final = "longtan-refinery"
POINT: Final = "TI-9001"

# The point's limits (°F, in data/plants.csv) come from the data's own distribution: 98 % of the rows lie above 44 and
# 99.5 % below 103.6. LL 40 is reached in the planned shutdown and in the catastrophic failure only, HH 107 in one
# hour of overheating; L 50 (3 % of the rows) shows the subtle decline that led to the failure, H 105 the overheating.
# A row stands for five minutes, so at a row a second the usual delay of a minute shrinks to nothing: delay_s is 0.
FAILURE_ROW: Final = 19_392
"""The first row of the catastrophic failure that reaches LL."""

START_ROW: Final = FAILURE_ROW - 30
"""Where a new province begins, so that a newcomer sees a red alarm half a minute later."""


@cache
def temperatures() -> tuple[float, ...]:
    """Every row's value in °F by row number; the file's own times are not used (they run back once)."""
    source = files("deploy.demo") / "data" / "nab" / "machine_temperature_system_failure.csv"
    return tuple(float(row["value"]) for row in csv.DictReader(io.StringIO(source.read_text("utf-8"))))


def replayed(row: int, at: int, since: int, until: int) -> Iterator[Reading]:
    """A reading a second after `since` and up to `until`, where `row` stands at `at`; after the last row the first."""
    rows = temperatures()
    for second in range(since + 1, until + 1):
        yield Reading(POINT, second, round(rows[(row + second - at) % len(rows)], 3))
