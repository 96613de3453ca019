"""How figures, and the rows behind them, look to who asks (contracts, "Statistics")."""

from collections.abc import Sequence
from typing import Any

from services.reporting.domain.tally import DURATIONS, Figure, Group, Measure
from services.reporting.store import Figures, Recount

MICROSECONDS = 1_000_000


def rows_json(figures: Figures, groups: Sequence[Group], measures: Sequence[Measure]) -> list[dict[str, Any]]:
    """A row for each group; without groups one row, whatever it holds."""
    if not groups and not figures:
        figures = {(): {}}
    return [
        {group.value: value or None for group, value in zip(groups, place, strict=True)}
        | {measure.value: figure_json(measure, found.get(measure, Figure())) for measure in measures}
        for place, found in figures.items()
    ]


def figure_json(measure: Measure, figure: Figure) -> Any:
    """A number, or of a duration its count, sum and max in seconds."""
    if measure not in DURATIONS:
        return figure.count
    return {"count": figure.count, "sum": figure.sum / MICROSECONDS, "max": figure.max / MICROSECONDS}


def fact_json(row: Any, measure: Measure) -> dict[str, Any]:
    """A row behind a figure: what happened, or of a stock the case that stands."""
    return {
        "id": row["id"],
        "measure": measure,
        "at": row["at"],
        "day": row["day"],
        "region": row["region"],
        "industry": row["industry"],
        "level": row["level"],
        "grade": row["grade"] or None,
        "enterprise": {"uscc": row["enterprise"], "name": row["name"]},
        "case": row["case_id"],
        "seconds": row["took"] / MICROSECONDS if measure in DURATIONS else None,
    }


def recount_json(recount: Recount) -> dict[str, Any]:
    """Whether all figures equal a recount, and the first that do not."""
    return {
        "equal": recount.differing == 0,
        "compared": recount.compared,
        "differing": recount.differing,
        "differences": [_difference_json(difference) for difference in recount.differences],
    }


def _difference_json(difference: dict[str, Any]) -> dict[str, Any]:
    """Of a roll-up count, sum and max in microseconds; of a case how often it was opened and closed."""
    case = difference.pop("case_id")
    labels = ("opened", "closed") if case else ("count", "sum_us", "max_us")
    sides = {
        side: dict(zip(labels, difference.pop(side), strict=True)) if difference[side] else None
        for side in ("kept", "recounted")
    }
    return difference | {"case": case} | sides
