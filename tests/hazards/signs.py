"""Alarms, reports and cases as hazards meets them, each with defaults."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.hazards.domain.case import Case, after_report
from services.hazards.domain.deadlines import DEFAULTS
from shared.events.alarms import Alarm, AlarmData
from shared.events.event import Event, event_id
from shared.events.hazards import HazardData, HazardReport
from shared.vocabulary import AlarmState, CaseState, Category, Grade, Level

ENTERPRISE = "91350100M000100Y43"
AT = datetime(2026, 11, 25, 8, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after it began."""
    return AT + timedelta(minutes=minutes)


def alarm(
    level: str = "red",
    state: str = "raised",
    minute: float = 0,
    point: str = "T-101",
    pushed: str = "",
    enterprise: str = ENTERPRISE,
    **more: Any,
) -> Alarm:
    """An alarm that the door took at once."""
    pushed = pushed or f"{point}/{level}/{minute}/{state}"
    data = {"point": point, "level": Level(level), "state": AlarmState(state)} | more.pop("data", {})
    return Alarm(
        id=event_id(enterprise, "//plant/dcs", pushed),
        source="//plant/dcs",
        pushid=pushed,
        time=at(minute),
        accepted=more.pop("accepted", at(minute)),
        enterprise=enterprise,
        enterprise_name="测试企业",
        region=more.pop("region", "220203"),
        industry="petrochemical",
        digest=more.pop("digest", None),
        data=AlarmData(**data),
    )


def report(pushed: str = "r1", minute: float = 0, enterprise: str = ENTERPRISE, **data: Any) -> HazardReport:
    """A hazard report that the door took at once."""
    fields = {"title": "安全阀未校验", "category": Category.EQUIPMENT} | data
    return HazardReport(
        id=event_id(enterprise, "//plant/check", pushed),
        source="//plant/check",
        pushid=pushed,
        time=at(minute),
        accepted=at(minute),
        enterprise=enterprise,
        enterprise_name="测试企业",
        region="220203",
        industry="petrochemical",
        data=HazardData(**fields),
    )


def case(state: CaseState = CaseState.REPORTED, grade: Grade | None = None, **more: Any) -> Case:
    """A case that a report opened, wherever it stands now."""
    opened, _ = after_report(report(), DEFAULTS)
    return replace(opened, state=state, grade=grade, **more)


def new(events: Iterable[Event]) -> list[Any]:
    """What the inbox lets through: each id once."""
    return list({event.id: event for event in events}.values())
