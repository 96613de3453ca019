"""Rows into values and back; the only place that knows ingest's tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.ingest.domain.admission import Pusher
from services.ingest.domain.engine import Block, PointStates
from services.ingest.domain.limits import Limits
from shared.database import Connection
from shared.events.event import NAMESPACE, derived_id
from shared.events.registry import EnterpriseData, EnterpriseRegistered, PointData, PointRegistered
from shared.statements import statements

_SQL = statements("services.ingest")
SAVE_ENTERPRISES = _SQL["save_enterprises"]
SAVE_POINTS = _SQL["save_points"]
ENTERPRISES_BY_CODE = _SQL["enterprises_by_code"]
LIST_ENTERPRISES = _SQL["list_enterprises"]
LIST_POINTS = _SQL["list_points"]
POINT_NAMES = _SQL["point_names"]
ADD_KEYS = _SQL["add_keys"]
KEY_BY_PREFIX = _SQL["key_by_prefix"]
LIST_KEYS = _SQL["list_keys"]
REVOKE_KEY = _SQL["revoke_key"]
NOTIFY_DOORS = _SQL["notify_doors"]
LIMITS_OF = _SQL["limits_of"]
MARKS = _SQL["marks"]
NAMES_OF = _SQL["names_of"]
LOCK_BLOCKS = _SQL["lock_blocks"]
FIND_BLOCKS = _SQL["find_blocks"]
SAVE_BLOCK = _SQL["save_block"]
HEAR_SOURCES = _SQL["hear_sources"]
COUNT_SOURCES = _SQL["count_sources"]
LIST_SOURCES = _SQL["list_sources"]
RECALL_ENTERPRISES = _SQL["recall_enterprises"]
RECALL_POINTS = _SQL["recall_points"]

SOURCE = "//fengsui/ingest"

Place = tuple[str, str]
"""An enterprise and one of its points."""
Found = tuple[str, Block]
"""An enterprise and one of its blocks."""


async def save_enterprises(db: Connection, rows: Sequence[Mapping[str, Any]]) -> list[EnterpriseRegistered]:
    """Registers enterprises; the events of those that are new or changed."""
    names = ("uscc", "name", "region", "industry", "address", "longitude", "latitude")
    changed = await db.fetch(SAVE_ENTERPRISES, *([row[name] for row in rows] for name in names))
    return [
        EnterpriseRegistered(
            id=derived_id(NAMESPACE, f"enterprise/{row['uscc']}", row["version"]),
            source=SOURCE,
            time=row["changed_at"],
            enterprise=row["uscc"],
            region=row["region"],
            industry=row["industry"],
            data=EnterpriseData.model_validate(dict(row)),
        )
        for row in changed
    ]


async def save_points(
    db: Connection, rows: Sequence[Mapping[str, Any]], owners: Mapping[str, Pusher]
) -> list[PointRegistered]:
    """Registers points; the events of those that are new or changed."""
    names = tuple(PointData.model_fields)[:-1]
    changed = await db.fetch(SAVE_POINTS, *([row[name] for row in rows] for name in names))
    return [
        PointRegistered(
            id=derived_id(NAMESPACE, f"point/{row['uscc']}/{row['point']}", row["version"]),
            source=SOURCE,
            time=row["changed_at"],
            enterprise=row["uscc"],
            region=owners[row["uscc"]].region,
            industry=owners[row["uscc"]].industry,
            data=PointData.model_validate(dict(row)),
        )
        for row in changed
    ]


async def recall(db: Connection, told: Sequence[EnterpriseRegistered | PointRegistered]) -> int:
    """After a restore: takes what the bus knows in a newer version, and says how much that was."""
    newest: dict[tuple[str, str], EnterpriseData | PointData] = {}
    for event in told:
        data = event.data
        place = (data.uscc, data.point if isinstance(data, PointData) else "")
        newest[place] = max(newest.get(place, data), data, key=lambda each: each.version)
    changed = 0
    for kind, query in ((EnterpriseData, RECALL_ENTERPRISES), (PointData, RECALL_POINTS)):
        rows = [data.model_dump() for data in newest.values() if isinstance(data, kind)]
        if rows:
            changed += len(await db.fetch(query, *([row[name] for row in rows] for name in kind.model_fields)))
    return changed


async def pushers(db: Connection, codes: Iterable[str]) -> dict[str, Pusher]:
    """Registered enterprises by their code."""
    rows = await db.fetch(ENTERPRISES_BY_CODE, sorted(set(codes)))
    return {row["uscc"]: Pusher(row["uscc"], row["name"], row["region"], row["industry"]) for row in rows}


async def marks(db: Connection, codes: Iterable[str]) -> dict[str, UUID]:
    """By enterprise the mark that is another one as soon as any of its points is."""
    return {row["uscc"]: row["points_mark"] for row in await db.fetch(MARKS, sorted(codes))}


async def limits(db: Connection, points: Iterable[Place]) -> dict[Place, Limits]:
    """What registered points are judged by."""
    return {
        (row["uscc"], row["point"]): Limits(
            ll=row["ll"],
            l=row["l"],
            h=row["h"],
            hh=row["hh"],
            deadband=row["deadband"],
            on_delay_us=round(row["on_delay_s"] * 1_000_000),
            off_delay_us=round(row["off_delay_s"] * 1_000_000),
        )
        for row in await db.fetch(LIMITS_OF, *_columns(points))
    }


async def names(db: Connection, points: Iterable[Place]) -> dict[Place, str]:
    """What registered points are called."""
    return {(row["uscc"], row["point"]): row["name"] for row in await db.fetch(NAMES_OF, *_columns(points))}


async def blocks_at(db: Connection, places: Iterable[tuple[str, int]]) -> list[Found]:
    """Blocks by enterprise and number, held for this transaction."""
    wanted = sorted(places)
    return [_block_of(row) for row in await db.fetch(LOCK_BLOCKS, *_columns(wanted))] if wanted else []


async def blocks_holding(db: Connection, points: Iterable[Place]) -> list[Found]:
    """The blocks in which points lie, and of each enterprise the last one; held for this transaction."""
    wanted = sorted(points)
    codes = sorted({code for code, _ in wanted})
    return [_block_of(row) for row in await db.fetch(FIND_BLOCKS, codes, *_columns(wanted))]


def _block_of(row: Any) -> Found:
    block = Block(row["block"], row["points"], row["last_at"], row["last_value"], row["states"], row["since"])
    return row["uscc"], block


def _columns(pairs: Iterable[tuple[str, Any]]) -> tuple[list[str], list[Any]]:
    found = list(pairs)
    return [code for code, _ in found], [other for _, other in found]


async def save_states(db: Connection, states: Mapping[str, PointStates]) -> None:
    """Writes the blocks that a batch touched."""
    rows = [
        (code, b.number, b.points, b.last_at, b.last_value, b.states, b.since)
        for code in sorted(states)
        for b in states[code].touched()
    ]
    if rows:
        await db.executemany(SAVE_BLOCK, rows)


async def hear(db: Connection, heard: Mapping[tuple[str, str], tuple[datetime, int | None]]) -> None:
    """Notes when sources spoke, and the interval they promised."""
    if heard:
        keys = sorted(heard)
        await db.execute(
            HEAR_SOURCES,
            [code for code, _ in keys],
            [source for _, source in keys],
            [heard[key][0] for key in keys],
            [heard[key][1] for key in keys],
        )
