"""Rows into values and back; the only place that knows ingest's tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

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
LOCK_BLOCKS = _SQL["lock_blocks"]
SAVE_BLOCK = _SQL["save_block"]
HEAR_SOURCES = _SQL["hear_sources"]
COUNT_SOURCES = _SQL["count_sources"]
LIST_SOURCES = _SQL["list_sources"]
RECALL_ENTERPRISES = _SQL["recall_enterprises"]
RECALL_POINTS = _SQL["recall_points"]

SOURCE = "//fengsui/ingest"


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


async def limits_of(
    db: Connection, readings: Iterable[tuple[str, str]]
) -> tuple[dict[str, dict[str, Limits]], dict[tuple[str, str], str]]:
    """By enterprise and point what a point is judged by, and the points' names."""
    wanted = sorted(set(readings))
    limits: dict[str, dict[str, Limits]] = {}
    names = {}
    for row in await db.fetch(LIMITS_OF, [code for code, _ in wanted], [point for _, point in wanted]):
        limits.setdefault(row["uscc"], {})[row["point"]] = Limits(
            ll=row["ll"],
            l=row["l"],
            h=row["h"],
            hh=row["hh"],
            deadband=row["deadband"],
            on_delay_us=round(row["on_delay_s"] * 1_000_000),
            off_delay_us=round(row["off_delay_s"] * 1_000_000),
        )
        names[row["uscc"], row["point"]] = row["name"]
    return limits, names


async def point_states(db: Connection, codes: Sequence[str], points: Sequence[str]) -> dict[str, PointStates]:
    """What the engine remembers of a batch's points, held for this transaction."""
    blocks: dict[str, list[Block]] = {code: [] for code in codes}
    for row in await db.fetch(LOCK_BLOCKS, sorted(codes), list(points)):
        blocks[row["uscc"]].append(
            Block(row["block"], row["points"], row["last_at"], row["last_value"], row["states"], row["since"])
        )
    return {code: PointStates(found) for code, found in blocks.items()}


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
