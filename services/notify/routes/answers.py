"""What the routes of notify share: JSON with moments in RFC 3339, and filters that a cursor is sealed with."""

from typing import Any

import orjson
from starlette.responses import JSONResponse

from shared.access import Staff
from shared.codes import prefix_of
from shared.problems import Problem


class Json(JSONResponse):
    """JSON with moments in RFC 3339."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, default=str)


def filters_of(staff: Staff, *given: Any) -> dict[str, Any]:
    """What a list was asked for, and by whom."""
    return {"staff": [staff.prefix, staff.enterprise], "given": [str(each) for each in given]}


def prefix(region: str | None) -> str | None:
    """What every code inside a region begins with; None for no region."""
    return prefix_of(region) if region else None


def not_found(what: str) -> Problem:
    """One answer for what is not there and for what is out of sight."""
    return Problem(404, "not_found", f"no such {what}")
