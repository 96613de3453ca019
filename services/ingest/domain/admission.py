"""Whether a pushed event is known, sane and whole: one verdict an item, and the event where it is admitted."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from services.ingest.domain.moments import BadTime, moment
from shared.events.alarms import Alarm, AlarmData
from shared.events.event import event_id
from shared.events.hazards import HazardData, HazardReport
from shared.events.readings import Heartbeat, HeartbeatData
from shared.vocabulary import Category, Grade, Level

ID_LIMIT: Final = 256
POINT_LIMIT: Final = 64
SOURCE_LIMIT: Final = 512
OURS: Final = "//fengsui/"
TEXT_LIMIT: Final = 64 * 1024
DEPTH_LIMIT: Final = 32

_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
_SOURCE = re.compile(r"[^\x00-\x1f\x7f]{1,512}")  # a line break would blur where the source ends and the id begins
_JSON = re.compile(r'application/json(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)
_OWN: Final = frozenset({"specversion", "id", "source", "type", "time", "data", "datacontenttype", "data_base64"})
_OPTIONAL_TEXT: Final = frozenset({"subject", "dataschema"})

Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Number = Annotated[float, AfterValidator(lambda value: value + 0.0)]  # -0.0 is 0
Title = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


class _In(BaseModel):
    """What an enterprise may write: strict, finite, and nothing unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class AlarmIn(_In):
    point: Annotated[str, Field(min_length=1, max_length=POINT_LIMIT)]
    level: Literal["red", "orange", "yellow", "blue"]
    state: Literal["raised", "cleared"]
    value: Number | None = None
    limit: Number | None = None
    message: Text | None = None


class AttachmentIn(_In):
    url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\x00-\x20]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HazardIn(_In):
    title: Title
    description: Text | None = None
    unit: Text | None = None
    category: Literal["safety", "process", "electrical", "instrument", "fire", "layout", "equipment", "other"]
    grade: Literal["general", "major"] | None = None
    criterion: Text | None = None
    found_by: Text | None = None
    location: Text | None = None
    attachments: Annotated[list[AttachmentIn], Field(max_length=50)] = []


class HeartbeatIn(_In):
    interval_s: Annotated[int, Field(ge=1, le=86_400)]


TYPES: Final[Mapping[str, type[_In]]] = {
    "fengsui.alarm.v1": AlarmIn,
    "fengsui.hazard.v1": HazardIn,
    "fengsui.heartbeat.v1": HeartbeatIn,
}
_CLOSED: Final[Mapping[str, tuple[str, ...]]] = {
    "level": tuple(Level),
    "state": ("raised", "cleared"),
    "grade": tuple(Grade),
    "category": tuple(Category),
}
_CODES: Final = {
    "missing": "missing_member",
    "extra_forbidden": "unknown_member",
    "finite_number": "not_finite",
    "float_type": "not_a_number",
    "int_type": "not_a_number",
    "string_type": "not_text",
    "string_too_long": "too_long",
    "string_too_short": "blank",
    "string_pattern_mismatch": "bad_text",
    "too_long": "too_many_items",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "model_type": "bad_data",
    "list_type": "bad_data",
}


class Refused(Exception):
    """The item is not admitted: stable code, sentence, JSON pointer."""

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.pointer = code, detail, pointer


class TooDeep(Exception):
    """The body nests deeper than anything we take."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """The enterprise that a key speaks for, as far as admission needs it."""

    uscc: str
    name: str
    region: str
    industry: str


Event = Alarm | HazardReport | Heartbeat


def admit(item: object, pusher: Pusher, points: Set[str], now: datetime) -> Event:
    """The event that an item is; raises Refused with the reason and the place, or TooDeep."""
    if deeper_than(item, DEPTH_LIMIT):
        raise TooDeep
    if not isinstance(item, dict):
        raise Refused("bad_shape", "an event is a JSON object")
    kind, source, pushed = _envelope(item, pusher)
    at = _time(item, now) if "time" in item else None
    if at is None and kind == "fengsui.alarm.v1":
        raise Refused("missing_attribute", "an alarm needs the time when it happened", "/time")
    data = _data(kind, item.get("data"))
    if isinstance(data, AlarmIn) and data.point not in points:
        raise Refused("unknown_point", "the enterprise has no such point", "/data/point")
    identity = event_id(pusher.uscc, source, pushed)
    return _event(kind, identity, source, pushed, at, data, pusher, now)


def _event(
    kind: str, identity: UUID, source: str, pushed: str, at: datetime | None, data: _In, pusher: Pusher, now: datetime
) -> Event:
    written = data.model_dump(exclude_none=True)
    envelope: dict[str, Any] = {
        "id": identity,
        "source": source,
        "pushid": pushed,
        "time": at or now,
        "enterprise": pusher.uscc,
        "region": pusher.region,
        "industry": pusher.industry,
        "digest": digest(kind, at, written),
        "accepted": now,
    }
    match data:
        case AlarmIn():
            return Alarm(**envelope, enterprise_name=pusher.name, data=AlarmData.model_validate(written))
        case HazardIn():
            return HazardReport(**envelope, enterprise_name=pusher.name, data=HazardData.model_validate(written))
        case _:
            return Heartbeat(**envelope, data=HeartbeatData.model_validate(written))


def digest(kind: str, at: datetime | None, data: Mapping[str, Any]) -> str:
    """The content's digest: the same event said again has it again, whatever its spelling as JSON."""
    content = orjson.dumps([kind, at, data], option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=16).hexdigest()


def _envelope(item: dict[str, Any], pusher: Pusher) -> tuple[str, str, str]:
    for name in ("specversion", "id", "source", "type"):
        if name not in item:
            raise Refused("missing_attribute", f"{name} is missing", f"/{name}")
    if item["specversion"] != "1.0":
        raise Refused("bad_specversion", "specversion must be 1.0", "/specversion")
    pushed, source, kind = item["id"], item["source"], item["type"]
    _named(pushed, source)
    if not isinstance(kind, str) or kind not in TYPES:
        raise Refused("unknown_type", f"known types are {', '.join(TYPES)}", "/type")
    for name, value in item.items():
        if name not in _OWN:
            _attribute(name, value)
    if "enterprise" in item and item["enterprise"] != pusher.uscc:
        raise Refused("not_yours", "the key speaks for another enterprise", "/enterprise")
    media = item.get("datacontenttype", "application/json")
    if not isinstance(media, str) or not _JSON.fullmatch(media):
        raise Refused("bad_data", "data must be application/json", "/datacontenttype")
    if "data_base64" in item:
        raise Refused("bad_data", "data must be JSON, not data_base64", "/data_base64")
    return kind, source, pushed


def _named(pushed: Any, source: Any) -> None:
    if not isinstance(pushed, str) or not pushed.strip() or len(pushed) > ID_LIMIT or "\x00" in pushed:
        raise Refused("bad_id", f"an id is 1 to {ID_LIMIT} characters, not blank, without NUL", "/id")
    if not isinstance(source, str) or not source.strip() or not _SOURCE.fullmatch(source):
        raise Refused("bad_source", f"a source is 1 to {SOURCE_LIMIT} characters, not blank, none a control", "/source")
    if source.startswith(OURS):
        raise Refused("bad_source", f"sources that begin with {OURS} are the platform's own", "/source")


def _attribute(name: str, value: object) -> None:
    if not _ATTRIBUTE.fullmatch(name):
        raise Refused("bad_attribute", "attribute names are [a-z0-9]{1,20}", "/" + escaped(name))
    if isinstance(value, dict | list) or (name in _OPTIONAL_TEXT and not isinstance(value, str)):
        raise Refused("bad_attribute", "an attribute is text, a number or true/false", "/" + name)


def _time(item: dict[str, Any], now: datetime) -> datetime:
    try:
        return moment(item["time"], now)
    except BadTime as error:
        raise Refused(error.code, error.detail, "/time") from error


def _data(kind: str, data: object) -> _In:
    if data is None:
        raise Refused("missing_member", "data is missing", "/data")
    try:
        found = TYPES[kind].model_validate(data)
    except ValidationError as error:
        raise _refusal(error) from error
    for name, value in found:
        if isinstance(value, str):
            if "\x00" in value:
                raise Refused("nul_character", "text cannot hold NUL", f"/data/{name}")
            if name in ("title", "point") and not value.strip():
                raise Refused("blank", f"{name} is blank", f"/data/{name}")
    return found


def _refusal(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    place = [str(part) for part in first["loc"] if part not in ("float", "int")]
    pointer = "/data" + "".join("/" + escaped(part) for part in place)
    if first["type"] == "literal_error":
        name = place[-1]
        return Refused(f"bad_{name}", f"{name} is one of {', '.join(_CLOSED[name])}", pointer)
    code = _CODES.get(first["type"], "invalid")
    if place == ["point"] and code in {"too_long", "blank"}:
        return Refused("bad_point", f"a point is 1 to {POINT_LIMIT} characters", pointer)
    return Refused(code, first["msg"], pointer)


def escaped(part: str) -> str:
    """A member's name as a token of a JSON pointer, bounded."""
    return part[:64].replace("~", "~0").replace("/", "~1")


def deeper_than(value: object, limit: int) -> bool:
    """Whether JSON nests deeper than so many levels."""
    level: list[object] = [value]
    while level and limit > 0:
        limit -= 1
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return any(isinstance(each, dict | list) for each in level)
