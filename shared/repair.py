"""A stopped partition goes on from where a person says, who is told before what that reads again or skips."""

from datetime import datetime
from typing import Annotated, Any, Literal

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from shared import audit
from shared.access import Staff, staff_with
from shared.consumer import Intake
from shared.errors import told
from shared.log_identity import Log, looked
from shared.moments import WrittenMoment
from shared.partitions import Choice, Fault, choice, why_not
from shared.problems import Problem
from shared.sight import sight
from shared.statements import statements
from shared.topics import TOPICS

_SQL = statements("shared")
POSITIONS = _SQL["every_position"]
HOLD = _SQL["hold_position"]
REPAIR = _SQL["repair_position"]
RECORD_GAP = _SQL["record_gap"]
SAY_AGAIN = _SQL["say_again"]
NOW = _SQL["now"]
AT_ONCE = 5000

OffsetStaff = Annotated[Staff, Depends(staff_with("offsets"))]
Where = Literal["beginning", "end"] | Annotated[int, Field(ge=0, lt=2**63)] | WrittenMoment


class Repair(BaseModel):
    """From where to go on; `next` is the position that whoever asks has seen."""

    model_config = ConfigDict(extra="forbid")
    where: Where = Field(alias="from", union_mode="left_to_right")
    next: int


class Again(BaseModel):
    """What is to be said again: a topic's events that the broker acknowledged since then, but not after `until`."""

    model_config = ConfigDict(extra="forbid")
    topic: str
    since: WrittenMoment
    until: WrittenMoment | None = None


def repairs(service: str) -> APIRouter:
    """Routes of every service."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.get("/partitions")
    async def partitions(request: Request, staff: OffsetStaff) -> dict[str, Any]:
        """Every partition that this service reads: its position, what the log holds, and what is wrong."""
        intakes = {intake.topic.name: intake for intake in request.app.state.service.intakes}
        async with sight(request, staff) as db:
            rows = await db.fetch(POSITIONS, list(intakes))
        logs = {name: await looked(intake.consumer, name) for name, intake in intakes.items()}
        return {"items": [_shown(row, intakes[row["topic"]], logs[row["topic"]]) for row in rows], "next": None}

    @router.post("/partitions/{topic}/{partition}/repair")
    async def repair(
        request: Request, topic: str, partition: int, body: Repair, staff: OffsetStaff, dry_run: bool = False
    ) -> dict[str, Any]:
        """Moves the position of a stopped partition; the service takes it up by itself within seconds."""
        intake = _intake(request, topic)
        log = await looked(intake.consumer, topic)
        if isinstance(log, str):
            raise _unreachable(log)
        offset = await _offset(intake, partition, body.where, log)
        async with sight(request, staff) as db:
            row = await db.fetchrow(HOLD, topic, partition)
            if row is None:
                raise Problem(404, "not_found", "this service has no position in that partition")
            fault, chosen = _chosen(row, intake, log, offset, body.next)
            if not dry_run:
                await db.execute(REPAIR, topic, partition, offset, log.identity.cluster, log.identity.topic_id)
                if chosen.skipped:
                    await db.execute(RECORD_GAP, topic, partition, chosen.first_skipped, chosen.skipped)
                detail = {"fault": fault, "was": row["next"], "next": offset, "skipped": chosen.skipped}
                await audit.record(db, staff, "repair", f"partition/{topic}/{partition}", **detail)
        return {"topic": topic, "partition": partition, "done": not dry_run} | _json(chosen)

    @router.post("/outbox/say-again")
    async def say_again(request: Request, body: Again, staff: OffsetStaff) -> dict[str, Any]:
        """Marks sent events as unsent, a few thousand at once: their ids are the same, so who has them takes none
        twice. Ask again with the `until` of the answer while `marked` is not zero."""
        if body.topic not in TOPICS:
            raise Problem(404, "not_found", "there is no such topic")
        async with sight(request, staff) as db:
            until = body.until or await db.fetchval(NOW)
            marked = len(await db.fetch(SAY_AGAIN, body.topic, body.since, until, AT_ONCE))
            if marked:
                what = f"topic/{body.topic}"
                await audit.record(db, staff, "say_again", what, since=body.since, until=until, marked=marked)
        request.app.state.service.wake()
        return {"service": service, "topic": body.topic, "marked": marked, "until": until}

    return router


def _intake(request: Request, topic: str) -> Intake:
    found: Intake | None = next((i for i in request.app.state.service.intakes if i.topic.name == topic), None)
    if found is None:
        raise Problem(404, "not_found", "this service does not read that topic")
    return found


def _unreachable(why: str) -> Problem:
    return Problem(503, "bus_unreachable", why, headers={"Retry-After": "2"})


async def _offset(intake: Intake, partition: int, where: str | int | datetime, log: Log) -> int:
    if partition not in log.end:
        raise Problem(404, "not_found", "the topic has no such partition")
    first, end = log.first[partition], log.end[partition]
    if isinstance(where, datetime):
        tp = TopicPartition(intake.topic.name, partition)
        assert intake.consumer is not None
        try:
            found = await intake.consumer.offsets_for_times({tp: int(where.timestamp() * 1000)})
        except (KafkaError, OSError) as error:
            raise _unreachable(told(error)) from error
        return int(found[tp].offset) if found[tp] else end
    if isinstance(where, int):
        if not first <= where <= end:
            raise Problem(422, "out_of_log", f"the log holds offsets {first} to {end}", pointer="/from")
        return where
    return first if where == "beginning" else end


def _chosen(row: Any, intake: Intake, log: Log, offset: int, seen: int) -> tuple[Fault, Choice]:
    partition = row["partition"]
    if row["next"] != seen:  # first: one that moves may be ahead of the end that was asked for before
        raise Problem(409, "position_moved", f"the position is {row['next']} now: look again", next=row["next"])
    wrong = why_not(row, log.identity, log.end[partition], intake.topic.partitions)
    if wrong is None:
        raise Problem(409, "not_stopped", "nothing is wrong with that partition: it goes on by itself")
    if wrong[0] is Fault.PARTITIONS:
        raise Problem(409, "other_partitions", f"{wrong[1]}: no position helps")
    return wrong[0], choice(wrong[0], row["next"], log.first[partition], log.end[partition], offset)


def _shown(row: Any, intake: Intake, log: Log | str) -> dict[str, Any]:
    shown = {name: row[name] for name in ("topic", "partition", "next", "moved_at", "stopped")}
    if isinstance(log, str) or row["partition"] not in log.end:
        return shown | {"fault": row["fault"], "log": None, "unknown": log if isinstance(log, str) else "no partition"}
    first, end = log.first[row["partition"]], log.end[row["partition"]]
    wrong = why_not(row, log.identity, end, intake.topic.partitions)
    shown |= {"log": {"first": first, "end": end}, "fault": wrong and wrong[0], "stopped": wrong and wrong[1]}
    if wrong and wrong[0] is not Fault.PARTITIONS:
        places = {"beginning": first, "end": end}
        shown["choices"] = {name: _json(choice(wrong[0], row["next"], first, end, at)) for name, at in places.items()}
    return shown


def _json(chosen: Choice) -> dict[str, Any]:
    return {"offset": chosen.offset, "again": chosen.again, "skipped": chosen.skipped}
