"""What OpenAPI is told by hand: bodies that are checked item by item, and the one form of every refusal."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

Schema = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]

PROBLEM: Final[Schema] = {
    "title": "Problem",
    "description": "RFC 9457; `code` is stable, `pointer` leads to the culprit (RFC 6901)",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "pointer": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "detail"],
}
_RETRY_AFTER: Final = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}


def refusals(*statuses: int, **more: Schema) -> Responses:
    """Answers of these statuses; `more` says what such a problem also holds, as in `_422=…`."""
    return {status: _refusal(HTTPStatus(status).phrase, status, more.get(f"_{status}")) for status in statuses}


def _refusal(description: str, status: int, also: Schema | None) -> dict[str, Any]:
    schema = {"allOf": [PROBLEM, also]} if also else PROBLEM
    headers = {"headers": _RETRY_AFTER} if status in {429, 503} else {}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}, **headers}


ANY_REFUSAL: Final[Responses] = {"default": _refusal("any refusal", 0, None)}


def body(contents: dict[str, Schema]) -> dict[str, Any]:
    """A request's body by media type, for a route's `openapi_extra`."""
    return {"requestBody": {"required": True, "content": {media: {"schema": s} for media, s in contents.items()}}}


def inlined(model: type[BaseModel]) -> Schema:
    """The model's JSON Schema without references, so that it can stand anywhere."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    found: Schema = _resolved(schema, definitions)
    return found


def _resolved(value: Any, definitions: Schema) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            return _resolved(definitions[value["$ref"].rsplit("/", 1)[1]], definitions)
        return {name: _resolved(inner, definitions) for name, inner in value.items()}
    return [_resolved(inner, definitions) for inner in value] if isinstance(value, list) else value
