"""How cases, steps and alarms look to who asks (contracts, "Cases")."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from services.hazards.domain.case import ENDED, Case
from services.hazards.domain.commands import allowed
from shared.vocabulary import AlarmState, CaseState, Level

OPEN: Final = tuple(state for state in CaseState if state not in ENDED)


def case_json(case: Case, now: datetime) -> dict[str, Any]:
    """A case as the contract has it, without its timeline."""
    fields = asdict(case)
    for hidden in ("cause", "enterprise_name", "active", "next_check_at"):
        del fields[hidden]
    return fields | {
        "enterprise": {"uscc": case.enterprise, "name": case.enterprise_name},
        "overdue": case.is_open and (case.overdue or (case.due_at is not None and case.due_at < now)),
        "in_alarm": bool(case.active),
        "actions": list(allowed(case)),
    }


def counts_json(alarms: Iterable[Any], cases: Iterable[Any], now: datetime) -> dict[str, Any]:
    """How much is open, with a nought for what is not."""
    points = {row["level"]: row for row in alarms}
    states = {row["state"]: row for row in cases}
    return {
        "levels": {level.value: points[level]["points"] if level in points else 0 for level in Level},
        "unanswered": sum(row["unanswered"] for row in points.values()),
        "cases": {
            "open": sum(row["cases"] for row in states.values()),
            "overdue": sum(row["overdue"] for row in states.values()),
            "by_state": {state.value: states[state]["cases"] if state in states else 0 for state in OPEN},
        },
        "as_of": now,
    }


def step_json(row: Any) -> dict[str, Any]:
    """A row of the timeline."""
    pushed = row["source"] is not None
    return {
        "at": row["at"],
        "kind": row["kind"],
        "by": row["by"],
        "version": row["version"],
        "detail": row["detail"],
        "event": {"source": row["source"], "id": row["pushid"]} if pushed else None,
    }


def alarm_json(row: Any) -> dict[str, Any]:
    """A point on the board."""
    acknowledged = row["acknowledged_at"] is not None
    return {
        "enterprise": {"uscc": row["enterprise"], "name": row["enterprise_name"]},
        "point": row["point"],
        "level": row["level"],
        "state": row["state"],
        "value": row["value"],
        "limit": row["limit"],
        "message": row["message"],
        "raised_at": row["raised_at"],
        "cleared_at": row["cleared_at"] if row["state"] == AlarmState.CLEARED else None,
        "acknowledged": acknowledged,
        "acknowledged_at": row["acknowledged_at"],
        "acknowledged_by": row["acknowledged_by"],
        "case": row["case_id"],
        "region": row["region"],
        "industry": row["industry"],
        "occurrences": row["occurrences"],
    }
