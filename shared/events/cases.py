"""What happens to a case (台账条目), told with enough of it to act without asking back."""

from typing import Any, Literal
from uuid import UUID

from shared.events.event import Event, Moment, Origin, Value
from shared.vocabulary import CaseKind, CaseState, Grade, Level, Tier


class CaseData(Value):
    """One step of a case and how the case stands after it."""

    case: UUID
    version: int
    kind: CaseKind
    by: str
    detail: dict[str, Any] = {}
    event: Origin | None = None
    title: str
    enterprise_name: str
    point: str | None = None
    state: CaseState
    level: Level
    grade: Grade | None = None
    tier: Tier
    opened_at: Moment
    due_at: Moment | None = None
    occurrences: int
    in_alarm: bool
    returned: bool = False
    """The alarm was over before this step and is here again."""


class CaseChanged(Event):
    """`time` is when it happened (of an alarm: the alarm's time)."""

    type: Literal["fengsui.case.v1"] = "fengsui.case.v1"
    data: CaseData
