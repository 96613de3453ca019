"""What ops ask of any service: its dead letters, its stopped partitions, its verdicts."""

from typing import Annotated, Any
from uuid import uuid5

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shared import audit
from shared.access import Staff, staff_with
from shared.database import Connection
from shared.events.event import NAMESPACE, origin_id
from shared.problems import Problem
from shared.sight import sight
from shared.statements import statements

_SQL = statements("shared")
LIST_DEAD = _SQL["list_dead"]
SHOW_DEAD = _SQL["show_dead"]
RESOLVE_DEAD = _SQL["resolve_dead"]
PUT = _SQL["put_out"]
RESUME = _SQL["resume_partition"]
STOPPED = _SQL["stopped_partitions"]
VERDICTS = _SQL["verdicts"]
DEAD_VERDICTS = _SQL["dead_verdicts"]

DeadLetterStaff = Annotated[Staff, Depends(staff_with("dead_letters"))]
ReconcileStaff = Annotated[Staff, Depends(staff_with("reconcile"))]


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Replay(Strict):
    """Sends a dead letter again, corrected where a payload is given."""

    payload: str | None = None
    note: str | None = Field(None, max_length=2000)


class Discard(Strict):
    """Gives a dead letter up, and says why."""

    note: str = Field(min_length=1, max_length=2000)


class Pushed(Strict):
    """An event as the enterprise named it."""

    source: str
    id: str


class Question(Strict):
    """What became of these?"""

    events: list[Pushed] = Field(max_length=5000)


def _letter(row: Any, *, whole: bool = False) -> dict[str, Any]:
    letter = {name: row[name] for name in row if name not in {"key", "payload", "log_offset", "origin"}}
    letter["offset"] = row["log_offset"]
    if whole:
        letter["key"] = row["key"] and row["key"].decode("utf-8", "replace")
        letter["payload"] = row["payload"] and row["payload"].decode("utf-8", "replace")
    return letter


async def stages(db: Connection, events: list[Pushed], *, themselves: bool = False) -> list[dict[str, Any]]:
    """For each event: how many verdicts this service holds, and the reasons of those held back.

    Of what followed from an event too, unless `themselves`."""
    origins = [origin_id(event.source, event.id) for event in events]
    found: list[dict[str, Any]] = [{"verdicts": 0, "held": [], "dead": 0} for _ in events]
    for row in await db.fetch(VERDICTS, origins, themselves):
        answer = found[row["ord"] - 1]
        answer["verdicts"] += 1
        if row["held"]:
            answer["held"].append(row["held"])
    for row in await db.fetch(DEAD_VERDICTS, origins):
        found[row["ord"] - 1]["dead"] += 1
    return found


def operations(service: str) -> APIRouter:
    """Routes of every service."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.get("/dead-letters")
    async def list_dead(
        request: Request,
        staff: DeadLetterStaff,
        state: Annotated[str | None, Query(pattern="^(waiting|replayed|discarded)$")] = None,
        cursor: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        async with sight(request, staff) as db:
            rows = await db.fetch(LIST_DEAD, cursor, state, limit + 1)
        items = [_letter(row) | {"service": service} for row in map(dict, rows[:limit])]
        return {"items": items, "next": str(items[-1]["id"]) if len(rows) > limit else None}

    @router.get("/dead-letters/{letter}")
    async def show_dead(request: Request, letter: int, staff: DeadLetterStaff) -> dict[str, Any]:
        async with sight(request, staff) as db:
            row = await db.fetchrow(SHOW_DEAD, letter)
        if row is None:
            raise Problem(404, "not_found", "no such dead letter")
        return _letter(dict(row), whole=True) | {"service": service}

    @router.post("/dead-letters/{letter}/replay")
    async def replay(request: Request, letter: int, body: Replay, staff: DeadLetterStaff) -> dict[str, Any]:
        """A new record with the old id: what has its effect already has no second."""
        async with sight(request, staff) as db:
            row = await _resolve(db, letter, "replayed", staff, body.note)
            value = body.payload.encode() if body.payload is not None else row["payload"]
            if value is None or (body.payload is None and row["payload_size"] > len(value)):
                raise Problem(409, "nothing_to_replay", "the record was too large to keep whole, or had no value")
            key = (row["key"] or b"").decode("utf-8", "replace") or "-"
            await db.execute(PUT, [uuid5(NAMESPACE, f"{service}/dead/{letter}")], row["topic"], [key], [value])
            told = {"topic": row["topic"], "corrected": body.payload is not None, "note": body.note}
            await audit.record(db, staff, "replay", f"dead_letter/{letter}", **told)
        request.app.state.service.wake()
        return {"id": letter, "state": "replayed"}

    @router.post("/dead-letters/{letter}/discard")
    async def discard(request: Request, letter: int, body: Discard, staff: DeadLetterStaff) -> dict[str, Any]:
        async with sight(request, staff) as db:
            await _resolve(db, letter, "discarded", staff, body.note)
            await audit.record(db, staff, "discard", f"dead_letter/{letter}", note=body.note)
        return {"id": letter, "state": "discarded"}

    @router.get("/partitions/stopped")
    async def stopped(request: Request, staff: DeadLetterStaff) -> dict[str, Any]:
        async with sight(request, staff) as db:
            rows = await db.fetch(STOPPED)
        return {"items": [dict(row) for row in rows], "next": None}

    @router.post("/partitions/{topic}/{partition}/resume")
    async def resume(request: Request, topic: str, partition: int, staff: DeadLetterStaff) -> dict[str, Any]:
        async with sight(request, staff) as db:
            if await db.fetchval(RESUME, topic, partition) is None:
                raise Problem(404, "not_found", "that partition is not stopped by hand or by poison")
            await audit.record(db, staff, "resume", f"partition/{topic}/{partition}")
        return {"topic": topic, "partition": partition, "state": "resumed"}

    @router.post("/verdicts")
    async def verdicts(request: Request, body: Question, staff: ReconcileStaff) -> Response:
        """What this service holds of pushed events; `fengsui reconcile` asks every service."""
        async with sight(request, staff) as db:
            answers = await request.app.state.service.stages(db, body.events)
        return Response(orjson.dumps({"service": service, "items": answers}), media_type="application/json")

    return router


async def _resolve(db: Connection, letter: int, state: str, staff: Staff, note: str | None) -> Any:
    row = await db.fetchrow(RESOLVE_DEAD, letter, state, staff.name, note)
    if row is None:
        if await db.fetchrow(SHOW_DEAD, letter) is None:
            raise Problem(404, "not_found", "no such dead letter")
        raise Problem(409, "already_resolved", "somebody decided on it before")
    return row
