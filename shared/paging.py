"""Keyset paging: a cursor says where a page ended, and belongs to the filters it was made for."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any

import orjson
from fastapi import Query

from shared.problems import Problem

Limit = Annotated[int, Query(ge=1, description="at most 500 are answered")]
Cursor = Annotated[str | None, Query(max_length=500)]
MOST = 500


def capped(limit: int) -> int:
    """How many a page may hold."""
    return min(limit, MOST)


def _seal(place: Sequence[Any], filters: Mapping[str, Any]) -> str:
    payload = orjson.dumps([place, filters], default=str, option=orjson.OPT_SORT_KEYS)
    return blake2b(payload, digest_size=6, person=b"fengsui.cursor"[:16]).hexdigest()


def cursor_after(place: Sequence[Any], filters: Mapping[str, Any]) -> str:
    """A cursor behind the row with these key values."""
    values = [str(value) for value in place]
    return urlsafe_b64encode(orjson.dumps([values, _seal(values, filters)])).decode().rstrip("=")


def place_of(cursor: str | None, filters: Mapping[str, Any], width: int) -> list[str] | None:
    """The key values behind which the next page begins; a Problem when the cursor is forged or of other filters."""
    if cursor is None:
        return None
    try:
        values, seal = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if len(values) == width and all(isinstance(v, str) for v in values) and seal == _seal(values, filters):
            return list(values)
    except (ValueError, TypeError):
        pass
    raise Problem(400, "bad_cursor", "the cursor is not one of this list with these filters")


def page(
    rows: Sequence[Any], limit: int, key: Sequence[str], filters: Mapping[str, Any]
) -> tuple[list[Any], str | None]:
    """The rows of this page of limit + 1 that were asked for, and the cursor of the next one."""
    kept = list(rows[:limit])
    more = len(rows) > limit
    return kept, cursor_after([_text(kept[-1][name]) for name in key], filters) if more else None


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
