"""Rows into values and back; the only place that knows reporting's tables."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reporting.domain.copies import CaseCopy
from services.reporting.domain.selection import Selection
from services.reporting.domain.tally import STOCKS, Fact, Figure, Group, Key, Measure
from shared.database import Connection
from shared.events.registry import EnterpriseData
from shared.statements import statements

_SQL = statements("services.reporting")
NOW = _SQL["now"]
ADD_FACTS = _SQL["add_facts"]
ADD_TO_ROLLUPS = _SQL["add_to_rollups"]
KEEP_CASES = _SQL["keep_cases"]
KEEP_ENTERPRISES = _SQL["keep_enterprises"]
NAMES = _SQL["names"]
FIGURES = _SQL["figures"]
LIST_FACTS = _SQL["list_facts"]
LIST_STANDING = _SQL["list_standing"]
ALLOW_A_RECOUNT = _SQL["allow_a_recount"]
RECOUNT = _SQL["recount"]
STANDING = _SQL["standing"]
EFFECTS = _SQL["effects"]
TRACED = _SQL["traced"]

DIFFERENCES_SHOWN = 50
RECOUNT_S = 310  # the database gives up first

Figures = dict[tuple[Any, ...], dict[Measure, Figure]]
"""By the values of the groups asked for, and by measure; what is not there is zero."""


@dataclass(frozen=True, slots=True)
class Recount:
    """How many roll-ups and case copies were compared, how many differ, and the first of these."""

    compared: int
    differing: int
    differences: list[dict[str, Any]]


async def now(db: Connection) -> datetime:
    """The database's clock, the same all through a transaction."""
    moment: datetime = await db.fetchval(NOW)
    return moment


async def add_facts(db: Connection, facts: Sequence[Fact]) -> list[Fact]:
    """Keeps facts and answers those that were not known."""
    if not facts:
        return []
    rows = [(f.id, f.key.measure, f.at, *f.key[1:], f.case, f.took) for f in facts]
    new = {(row["id"], row["measure"]) for row in await db.fetch(ADD_FACTS, *_columns(rows))}
    return [fact for fact in facts if (fact.id, fact.key.measure) in new]


async def add_to_rollups(db: Connection, figures: dict[Key, Figure]) -> None:
    """Adds what new facts sum up to."""
    if figures:
        await db.execute(ADD_TO_ROLLUPS, *_columns([(*key, *astuple(figures[key])) for key in sorted(figures)]))


async def keep_cases(db: Connection, copies: Sequence[CaseCopy]) -> set[UUID]:
    """Keeps the copies that are newer than what is there, and answers their ids."""
    if not copies:
        return set()
    return {row["id"] for row in await db.fetch(KEEP_CASES, *_columns(copies))}


async def keep_enterprises(db: Connection, told: Sequence[EnterpriseData]) -> set[str]:
    """Keeps the names that are newer than what is there, and answers whose."""
    if not told:
        return set()
    rows = [(enterprise.uscc, enterprise.version, enterprise.name) for enterprise in told]
    return {row["uscc"] for row in await db.fetch(KEEP_ENTERPRISES, *_columns(rows))}


async def names(db: Connection, usccs: Iterable[str]) -> dict[str, str]:
    """What enterprises are called, those that the registry has told."""
    return {row["uscc"]: row["name"] for row in await db.fetch(NAMES, sorted(set(usccs)))}


async def figures(
    db: Connection, part: Selection, measures: Sequence[Measure], groups: Sequence[Group], most: int
) -> Figures:
    """The figures of a part, in the order of their groups; of at most so many (group, measure)."""
    rows = await db.fetch(FIGURES, *_part(part), list(measures), list(groups), most, part.first, part.last)
    found: Figures = {}
    for row in rows:
        place = tuple(row[group.value] for group in groups)
        found.setdefault(place, {})[Measure(row["measure"])] = Figure(int(row["count"]), int(row["sum"]), row["max"])
    return found


async def rows_behind(
    db: Connection, part: Selection, measure: Measure, after: tuple[datetime, UUID] | None, most: int
) -> list[Any]:
    """The facts, or of a stock the cases, that a figure consists of, newest first."""
    page = (measure, *(after or (None, None)), most)
    if measure in STOCKS:
        return await db.fetch(LIST_STANDING, *_part(part), *page)
    return await db.fetch(LIST_FACTS, *_part(part), *page, part.first, part.last)


async def recount(db: Connection) -> Recount:
    """Counts all facts again, beside the roll-ups and the case copies; within a transaction, for minutes."""
    await db.execute(ALLOW_A_RECOUNT)
    row = await db.fetchrow(RECOUNT, DIFFERENCES_SHOWN, timeout=RECOUNT_S)
    assert row is not None
    return Recount(row["compared"], row["differing"], row["differences"])


def _part(part: Selection) -> tuple[Any, ...]:
    return (
        part.sight, part.own, part.day, part.within, part.industries or None, part.levels or None,
        part.grades or None, part.enterprise,
    )  # fmt: skip


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
