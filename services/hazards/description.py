"""What hazards answers and is told, for OpenAPI; the answers of the routes are proven to fit."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.hazards.domain.commands import Obstacle
from shared.description import Responses, refusals
from shared.events.event import Origin
from shared.vocabulary import AlarmState, CaseKind, CaseState, Grade, Level, Tier


class _Shown(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Named(_Shown):
    """An enterprise by its code and its name."""

    uscc: str
    name: str


class Row(_Shown):
    """A row of the timeline."""

    at: datetime
    kind: CaseKind
    by: str
    version: int
    detail: dict[str, Any]
    event: Origin | None


class ListedCase(_Shown):
    """A case (台账条目) in a list."""

    id: UUID
    version: int
    state: CaseState
    grade: Grade | None
    level: Level
    title: str
    enterprise: Named
    region: str
    industry: str
    point: str | None
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    tier: Tier
    occurrences: int
    in_alarm: bool
    responsible: str | None
    measures: str | None
    money: str | None
    plan: str | None
    submitted_by: str | None
    actions: list[str]


class ShownCase(ListedCase):
    """A case with the newest 200 rows of its timeline; `timeline_next` comes back as `timeline_before`.

    `blocked` says of every action that whoever asks may not take now, why."""

    blocked: dict[str, Obstacle]
    timeline: list[Row]
    timeline_next: int | None


class Place(_Shown):
    """A point on the alarm board, at the gravest level that is open there."""

    enterprise: Named
    point: str
    level: Level
    state: AlarmState
    value: float | None
    limit: float | None
    message: str | None
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    case: UUID | None
    region: str
    industry: str
    occurrences: int


class Cases(_Shown):
    """A page of the ledger."""

    items: list[ListedCase]
    next: str | None


class Board(_Shown):
    """A page of the board."""

    items: list[Place]
    next: str | None


class Levels(_Shown):
    """Points in alarm, by the gravest level there."""

    red: int
    orange: int
    yellow: int
    blue: int


class CaseCounts(_Shown):
    """Cases that are not ended."""

    open: int
    overdue: int
    by_state: dict[CaseState, int]


class Counts(_Shown):
    """How much is open; `unanswered` counts the points in alarm whose gravest level nobody acknowledged."""

    levels: Levels
    unanswered: int
    cases: CaseCounts
    as_of: datetime


class Concerned(_Shown):
    """An enterprise with anything open; `level` is the gravest in alarm there, null where only cases are open."""

    uscc: str
    name: str
    region: str
    industry: str
    level: Level | None
    alarms: int
    cases: int


class Enterprises(_Shown):
    """All enterprises with anything open."""

    items: list[Concerned]
    next: None
    as_of: datetime


_ALLOWED: Final = {"type": "object", "properties": {"allowed": {"type": "array", "items": {"type": "string"}}}}
_VERSION: Final = {"type": "object", "properties": {"version": {"type": "integer"}}}
AFTER_A_STEP: Final[Responses] = {
    200: {"model": ShownCase, "description": "The case after the step; its version is the ETag"},
    **refusals(400, 401, 403, 404, 409, 412, 413, 422, 428, _409=_ALLOWED, _412=_VERSION, _428=_VERSION),
}
IF_MATCH: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "the version that the step was decided on",
            "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
        }
    ]
}
