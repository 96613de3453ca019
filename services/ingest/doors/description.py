"""What the door takes and answers, as JSON Schema: enterprises build against it."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.admission import ID_LIMIT, POINT_LIMIT, TYPES
from services.ingest.domain.frames import ITEM_LIMIT
from shared.description import Responses, Schema, inlined, refusals
from shared.vocabulary import Quality

_TIME: Final[Schema] = {"type": "string", "format": "date-time", "description": "RFC 3339 with offset"}


class Rejection(BaseModel):
    """An item that was not taken."""

    model_config = ConfigDict(extra="forbid")
    index: int
    id: str | None = Field(description="the item's own, at most 256 characters of it")
    code: str
    detail: str
    pointer: str = Field(description="RFC 6901, from the item; of a frame from the frame")


class Verdict(BaseModel):
    """What became of the items of a push."""

    model_config = ConfigDict(extra="forbid")
    accepted: int
    duplicates: int
    rejected: list[Rejection]


VERDICT: Final = inlined(Verdict)


def pushed(kind: str) -> Schema:
    """A CloudEvent of that type as the door takes it."""
    required = ["specversion", "id", "source", "type", "data"]
    return {
        "title": kind,
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "minLength": 1, "maxLength": ID_LIMIT},
            "source": {"type": "string", "minLength": 1, "maxLength": 2048},
            "type": {"const": kind},
            "time": _TIME,
            "datacontenttype": {"const": "application/json"},
            "subject": {"type": "string"},
            "dataschema": {"type": "string"},
            "enterprise": {"type": "string", "description": "if it is there, it is the key's"},
            "data": inlined(TYPES[kind]),
        },
        "patternProperties": {"^[a-z0-9]{1,20}$": {}},
        "additionalProperties": False,
        "required": [*required, "time"] if kind == "fengsui.alarm.v1" else required,
    }


_POINT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": POINT_LIMIT}
_VALUE: Final[Schema] = {"type": ["number", "null"], "description": "null only where quality is bad"}
_QUALITY: Final[Schema] = {"enum": [quality.value for quality in Quality], "default": Quality.GOOD.value}


def _object(properties: Schema, *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "additionalProperties": False, "required": required}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "maxItems": ITEM_LIMIT}


_READING: Final = _object({"point": _POINT, "time": _TIME, "value": _VALUE, "quality": _QUALITY}, "value", "quality")
FRAME: Final[Schema] = {
    "title": "readings",
    "description": "one frame, as rows or as columns of equal length",
    "oneOf": [
        _object({"readings": _list(_READING)}),
        _object(
            {"time": _TIME, "points": _list(_POINT), "values": _list(_VALUE), "quality": _list(_QUALITY)}, "quality"
        ),
    ],
}
EVENTS: Final[dict[str, Schema]] = {
    "application/cloudevents+json": {"oneOf": [pushed(kind) for kind in TYPES]},
    "application/cloudevents-batch+json": _list({"oneOf": [pushed(kind) for kind in TYPES]}),
    "application/json": {
        "description": "binary mode: the attributes are `ce-` headers, percent-encoded",
        "oneOf": [inlined(model) for model in TYPES.values()],
    },
}
DRY_RUN: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "dry_run",
            "in": "query",
            "description": "checks and sends nothing",
            "schema": {"type": "boolean", "default": False},
        }
    ]
}
ANSWERS: Final[Responses] = {
    202: {
        "description": "Taken, but for what was rejected; the broker has it",
        "content": {"application/json": {"schema": VERDICT}},
    },
    **refusals(400, 401, 403, 408, 413, 415, 422, 429, 503, _403=VERDICT, _422=VERDICT),
}
