"""What one service holds of one pushed event, and how far it is behind: `fengsui trace` asks every service."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from shared.access import Staff, staff_with
from shared.consumer import Intake
from shared.database import Connection
from shared.events.event import origin_id
from shared.log_identity import Log, looked
from shared.sight import sight
from shared.statements import statements

_SQL = statements("shared")
TRACED = _SQL["traced"]
TRACED_DEAD = _SQL["traced_dead"]
POSITIONS = _SQL["every_position"]
MOST = 500

TraceStaff = Annotated[Staff, Depends(staff_with("reconcile"))]
Name = Annotated[str, Query(max_length=512, pattern=r"^[^\x00]+$")]


async def nothing_made(_db: Connection, _events: Sequence[UUID]) -> dict[str, Any]:
    """What a service answers that makes nothing of its own of an event."""
    return {}


def traces(service: str) -> APIRouter:
    """Routes of every service."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.get("/trace")
    async def trace(
        request: Request, staff: TraceStaff, source: Name, pushed: Annotated[Name, Query(alias="id")]
    ) -> dict[str, Any]:
        """What was taken in of the event and of all that followed from it, and what came of each."""
        here, origin = request.app.state.service, origin_id(source, pushed)
        async with sight(request, staff) as db:
            taken = await db.fetch(TRACED, origin, MOST)
            dead = await db.fetch(TRACED_DEAD, origin, MOST)
            made = await here.traced(db, [row["id"] for row in taken])
            positions = await db.fetch(POSITIONS, [intake.topic.name for intake in here.intakes])
        lag = {
            intake.topic.name: _lag(positions, intake, await looked(intake.consumer, intake.topic.name))
            for intake in here.intakes
        }
        found = {"taken": [_taken(row) for row in taken], "dead": [dict(row) for row in dead], "lag": lag}
        return {"service": service, **found, **made}

    return router


def _taken(row: Any) -> dict[str, Any]:
    digest = row["digest"] and row["digest"].hex()
    return {"id": row["id"], "digest": digest, "held": row["held"], "at": row["taken_at"]}


def _lag(positions: Sequence[Any], intake: Intake, log: Log | str) -> int | None:
    """How many records of a topic wait for this service; None where Kafka does not say."""
    if isinstance(log, str):
        return None
    reached: dict[int, int] = {row["partition"]: row["next"] for row in positions if row["topic"] == intake.topic.name}
    return sum(max(0, end - reached.get(number, log.first[number])) for number, end in log.end.items())
