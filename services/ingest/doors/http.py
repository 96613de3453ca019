"""The HTTP door: accepted is said only after the broker's acknowledgement."""

import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.ingest import metrics
from services.ingest.domain.admission import Event, Refused, TooDeep, admit
from services.ingest.domain.frames import Admitted, BadFrame, admit_frame, frame_of
from services.ingest.doors import body
from services.ingest.doors.credentials import Credentials, Held
from services.ingest.doors.description import ANSWERS, DRY_RUN, EVENTS, FRAME
from services.ingest.doors.memory import Memory
from shared import faults, telemetry, tracing
from shared.access import bearer, keyed
from shared.description import body as described
from shared.events.alarms import Alarm
from shared.events.hazards import HazardReport
from shared.events.readings import Frame
from shared.problems import Problem
from shared.producer import Producer, Record
from shared.settings import Settings
from shared.topics import ALARMS, READINGS, REPORTS, Topic
from shared.tracing import Span

ITEM_LIMIT: Final = 10_000
ONE: Final = "application/cloudevents+json"
MANY: Final = "application/cloudevents-batch+json"
DATA: Final = "application/json"
FREE_BYTES, FREE_SHARE = 1024**3, 0.05  # below either the bus may stop for good: refuse while there is room

router = APIRouter(prefix="/v1", tags=["door"], dependencies=[Depends(keyed)])


class Door:
    """What the requests share."""

    def __init__(self, settings: Settings, producer: Producer, credentials: Credentials) -> None:
        self.producer, self.credentials = producer, credentials
        self.memory = Memory()
        self._home = settings.home
        self._room_until = 0.0
        self._full = False

    def now(self) -> datetime:
        """The door's clock."""
        return datetime.now(UTC)  # noqa: TID251 - a door is where time comes in

    def full(self) -> bool:
        """Whether the disk of an embedded stack is nearly full; looked at every five seconds."""
        if time.monotonic() > self._room_until:
            self._room_until = time.monotonic() + 5
            if self._home.exists():
                usage = shutil.disk_usage(self._home)
                self._full = usage.free < min(FREE_BYTES, FREE_SHARE * usage.total)
        return self._full


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


def _later(code: str, detail: str, seconds: float = 1) -> Problem:
    return Problem(503, code, detail, headers={"Retry-After": str(max(1, round(seconds)))})


async def _enter(request: Request) -> tuple[Door, Held]:
    door = _door(request)
    if request.app.state.service.stopping:
        raise _later("stopping", "this door is closing; send it again")
    held = await door.credentials.of(bearer(request))
    if wait := held.bucket.wait_s(time.monotonic()):
        raise Problem(429, "too_many", "more events a second than the key may push", headers={"Retry-After": _up(wait)})
    if door.full():
        raise _later("disk_full", "the disk here is nearly full", 30)
    return door, held


Push = Callable[[Request, Door, Held, Span], Awaitable[Response]]


def _up(seconds: float) -> str:
    return str(int(-(-seconds // 1)))


@router.post("/events", status_code=202, responses=ANSWERS, openapi_extra=described(EVENTS) | DRY_RUN)
async def push_events(request: Request) -> Response:
    """Takes CloudEvents: one, a batch, or one in binary mode."""
    started = time.perf_counter()
    try:
        answer = await _traced("push events", request, _push_events)
    except Problem as problem:
        answer = problem.response()
    return _measured("events", answer, started)


@router.post("/readings", status_code=202, responses=ANSWERS, openapi_extra=described({DATA: FRAME}) | DRY_RUN)
async def push_readings(request: Request) -> Response:
    """Takes one frame of readings, as rows or as columns."""
    started = time.perf_counter()
    try:
        answer = await _traced("push readings", request, _push_readings)
    except Problem as problem:
        answer = problem.response()
    return _measured("readings", answer, started)


def _measured(path: str, answer: Response, started: float) -> Response:
    metrics.DOOR_REQUESTS.labels(path, str(answer.status_code)).inc()
    metrics.DOOR_SECONDS.labels(path).observe(time.perf_counter() - started)
    return answer


async def _traced(name: str, request: Request, push: Push) -> Response:
    """Whoever has no key begins no trace."""
    door, held = await _enter(request)
    with tracing.begin(name, request.headers.get("traceparent")) as span:
        try:
            answer = await push(request, door, held, span)
        except Problem as problem:
            answer = problem.response()
        span.note({"http.response.status_code": answer.status_code})
        return answer


async def _push_events(request: Request, door: Door, held: Held, span: Span) -> Response:
    dry = _dry_run(request)
    items, twice = await _items(request, held)
    now = door.now()
    admitted, rejected = await _admit_all(door, held, items, twice, now)
    fresh, duplicates = _unrepeated(door, admitted, rejected)
    if not dry and fresh:
        await _send(door, [(topic_of(event), event) for _, event in fresh], span)
        for _, event in fresh:
            door.memory.keep(event.id, event.digest or "")
    if not dry:
        _count(fresh, duplicates, rejected)
    return _verdict(len(fresh), duplicates, rejected)


def _dry_run(request: Request) -> bool:
    given = request.query_params.get("dry_run", "false")
    if given not in ("true", "false"):
        raise Problem(400, "bad_query", "dry_run is true or false", pointer="/dry_run")
    return given == "true"


async def _items(request: Request, held: Held) -> tuple[list[Any], list[bool]]:
    """The items of a body, and which of them say a key twice."""
    media, charset = _media(request)
    binary = any(name.startswith("ce-") for name in request.headers)
    if charset not in ("", "utf-8", "utf8"):
        raise Problem(415, "unsupported_charset", "JSON is UTF-8")
    if media not in (ONE, MANY) and not (binary and media == DATA):
        taken = f"{ONE}, {MANY}, or {DATA} with ce- headers"
        raise Problem(415, "unsupported_media_type", f"Content-Type may be {taken}")
    raw = await body.read(request)
    weight = body.weight(raw)
    held.bucket.take(weight)
    parsed = body.parse(raw)
    if media == DATA:
        items: Any = [_from_headers(request, parsed)]
        keys = body.count_keys(parsed)
    elif media == MANY:
        if not isinstance(parsed, list):
            raise Problem(400, "bad_shape", "a batch is a JSON list of events")
        items, keys = parsed, body.count_keys(parsed)
    else:
        if not isinstance(parsed, dict):
            raise Problem(400, "bad_shape", "one event is a JSON object")
        items, keys = [parsed], body.count_keys(parsed)
    held.bucket.take(max(0, len(items) - weight))
    if len(items) > ITEM_LIMIT:
        raise Problem(413, "too_many_items", f"at most {ITEM_LIMIT} events at once")
    return items, body.find_repeated(raw) if body.repeated_keys(raw, keys) else [False] * len(items)


def _media(request: Request) -> tuple[str, str]:
    media, *parameters = request.headers.get("content-type", "").lower().split(";")
    given = dict(parameter.strip().partition("=")[::2] for parameter in parameters)
    return media.strip(), given.get("charset", "").strip('"')


def _from_headers(request: Request, data: Any) -> dict[str, Any]:
    """An event in binary mode: attributes as ce- headers, percent-encoded."""
    item: dict[str, Any] = {}
    for name, value in request.headers.items():
        if name.startswith("ce-"):
            if name[3:] in item:
                raise Problem(400, "bad_attribute", f"{name} is there twice")
            try:
                item[name[3:]] = unquote(value.encode("latin-1").decode("ascii"), errors="strict")
            except UnicodeDecodeError:
                raise Problem(400, "bad_attribute", f"{name} is not percent-encoded UTF-8") from None
    return item | {"data": data}


async def _admit_all(
    door: Door, held: Held, items: Sequence[Any], twice: Sequence[bool], now: datetime
) -> tuple[list[tuple[int, Event]], list[dict[str, Any]]]:
    admitted: list[tuple[int, Event]] = []
    rejected: list[dict[str, Any]] = []
    renewed = False
    try:
        for index, item in enumerate(items):
            try:
                if twice[index]:
                    raise Refused("duplicate_key", "an object says a key twice")
                try:
                    admitted.append((index, admit(item, held.pusher, held.points, now)))
                except Refused as refused:
                    if refused.code != "unknown_point" or renewed:
                        raise
                    renewed = True  # the point may have been registered a moment ago
                    await door.credentials.renew_points(held)
                    admitted.append((index, admit(item, held.pusher, held.points, now)))
            except Refused as refused:
                rejected.append(_rejection(index, item, refused))
    except TooDeep:
        raise Problem(400, "too_deep", "nested deeper than 32 levels") from None
    return admitted, rejected


def _rejection(index: int, item: Any, refused: Refused) -> dict[str, Any]:
    given = item.get("id") if isinstance(item, dict) else None
    named = given[:256] if isinstance(given, str) else None
    return {
        "index": index,
        "id": named,
        "code": refused.code,
        "detail": refused.detail,
        "pointer": refused.pointer,
    }


def _unrepeated(
    door: Door, admitted: Sequence[tuple[int, Event]], rejected: list[dict[str, Any]]
) -> tuple[list[tuple[int, Event]], int]:
    """What is new; the same again is counted, the same name with other content is rejected."""
    fresh: list[tuple[int, Event]] = []
    batch: dict[Any, str] = {}
    duplicates = 0
    for index, event in admitted:
        digest = event.digest or ""
        known = batch.get(event.id) or door.memory.digest(event.id)
        if known is None:
            batch[event.id] = digest
            fresh.append((index, event))
        elif known == digest:
            duplicates += 1
        else:
            refused = Refused("id_reused", "this source and id were accepted before with other content", "/id")
            rejected.append(_rejection(index, {"id": event.pushid}, refused))
    rejected.sort(key=lambda each: each["index"])
    return fresh, duplicates


def topic_of(event: Event | Frame) -> Topic:
    """Where an admitted event goes."""
    match event:
        case Alarm():
            return ALARMS
        case HazardReport():
            return REPORTS
        case _:
            return READINGS


async def _send(door: Door, events: Sequence[tuple[Topic, Any]], span: Span) -> None:
    faults.point("door.before_send")
    events = tracing.carried(span, events)
    records = [Record(topic.name, topic.key(event).encode(), event.wire()) for topic, event in events]
    with span.child("send", "producer", tracing.KAFKA):
        outcomes = await door.producer.send(records)
    failed = [outcome for outcome in outcomes if outcome is not None]
    if failed:
        for _, event in events:
            metrics.DOOR_ITEMS.labels(_kind(event), "unknown").inc()
        telemetry.log.warning("push_unknown", items=len(records), unknown=len(failed), error=str(failed[0]))
        raise _later("outcome_unknown", "the bus did not confirm every item in time: send the same events again", 2)
    faults.point("door.before_answer")


def _kind(event: Any) -> str:
    return {"fengsui.alarm.v1": "alarm", "fengsui.hazard.v1": "hazard", "fengsui.heartbeat.v1": "heartbeat"}.get(
        event.type, "reading"
    )


def _count(fresh: Sequence[tuple[int, Event]], duplicates: int, rejected: Sequence[Mapping[str, Any]]) -> None:
    for _, event in fresh:
        metrics.DOOR_ITEMS.labels(_kind(event), "accepted").inc()
    if duplicates:
        metrics.DOOR_ITEMS.labels("other", "duplicate").inc(duplicates)
    if rejected:
        metrics.DOOR_ITEMS.labels("other", "rejected").inc(len(rejected))
        codes = {str(each["code"]) for each in rejected}
        telemetry.log.info("items_rejected", count=len(rejected), codes=sorted(codes))


def _verdict(accepted: int, duplicates: int, rejected: Sequence[Mapping[str, Any]]) -> Response:
    counts: dict[str, Any] = {"accepted": accepted, "duplicates": duplicates, "rejected": rejected}
    if accepted or duplicates:
        return Response(orjson.dumps(counts), 202, media_type="application/json")
    if rejected and all(each["code"] == "not_yours" for each in rejected):
        return Problem(403, "not_yours", "the key speaks for another enterprise", **counts).response()
    return Problem(422, "nothing_valid", "no item could be accepted", **counts).response()


async def _push_readings(request: Request, door: Door, held: Held, span: Span) -> Response:
    media, charset = _media(request)
    if media != DATA or charset not in ("", "utf-8", "utf8"):
        raise Problem(415, "unsupported_media_type", f"Content-Type may be {DATA}, in UTF-8")
    raw = await body.read(request)
    held.bucket.take(1 + body.weight(raw))
    parsed = body.parse(raw)
    if body.repeated_keys(raw, body.count_keys(parsed)) and any(body.find_repeated(raw)):
        raise Problem(400, "duplicate_key", "an object says a key twice")
    now = door.now()
    admitted = await _admit_readings(door, held, parsed, now)
    if admitted.readings and not _dry_run(request):
        await _send(door, [(READINGS, frame_of(admitted, held.pusher, now))], span)
        metrics.DOOR_ITEMS.labels("reading", "accepted").inc(len(admitted.readings))
    rejected = [
        {"index": index, "id": None, "code": refused.code, "detail": refused.detail, "pointer": refused.pointer}
        for index, refused in admitted.rejected
    ]
    if rejected:
        metrics.DOOR_ITEMS.labels("reading", "rejected").inc(len(rejected))
    return _verdict(len(admitted.readings), admitted.duplicates, rejected)


async def _admit_readings(door: Door, held: Held, parsed: Any, now: datetime) -> Admitted:
    try:
        admitted = admit_frame(parsed, held.points, now)
        if any(refused.code == "unknown_point" for _, refused in admitted.rejected):
            await door.credentials.renew_points(held)  # it may have been registered a moment ago
            admitted = admit_frame(parsed, held.points, now)
    except TooDeep:
        raise Problem(400, "too_deep", "nested deeper than 32 levels") from None
    except BadFrame as bad:
        raise Problem(bad.status, bad.code, bad.detail, pointer=bad.pointer) from None
    return admitted
