"""Events as reporting hears them, each with defaults."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.events.alarms import Alarm, AlarmData
from shared.events.cases import CaseChanged, CaseData
from shared.events.event import NAMESPACE, Origin
from shared.events.hazards import HazardData, HazardReport
from shared.events.notifications import NotificationChanged, NotificationData
from shared.events.registry import EnterpriseRegistered
from shared.vocabulary import CaseKind, CaseState, NotificationKind, NotificationState, Tier

ENTERPRISE = "91220800MA00000018"
AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)  # noon in Shanghai
STATES = {
    CaseKind.ACCEPTED: CaseState.CLOSED,
    CaseKind.VOIDED: CaseState.VOID,
    CaseKind.CONFIRMED: CaseState.CONFIRMED,
}


def name(*parts: object) -> UUID:
    """The id of something that a test calls so."""
    return uuid5(NAMESPACE, "/".join(map(str, parts)))


def alarm(pushed: str = "a1", state: str = "raised", level: str = "red", **more: Any) -> Alarm:
    """A pushed alarm at noon."""
    fields = _envelope(more) | {
        "id": name("alarm", pushed, more.get("enterprise", ENTERPRISE)),
        "source": "//test/dcs",
        "pushid": pushed,
        "digest": name("content", pushed).hex,
        "data": AlarmData.model_validate({"point": "T-1", "level": level, "state": state}),
    }
    return Alarm.model_validate(fields | more)


def report(pushed: str = "r1", **more: Any) -> HazardReport:
    """A pushed hazard report."""
    fields = _envelope(more) | {
        "id": name("report", pushed),
        "source": "//test/check",
        "pushid": pushed,
        "digest": name("content", pushed).hex,
        "data": HazardData.model_validate({"title": "安全阀未校验", "category": "equipment"}),
    }
    return HazardReport.model_validate(fields | more)


def step(case: str = "c1", kind: CaseKind = CaseKind.OPENED, version: int = 1, **more: Any) -> CaseChanged:
    """One step of a case; `pushed` names the alarm that it follows from."""
    pushed, data = more.pop("pushed", None), more.pop("data", {})
    fields = _envelope(more) | {"id": name("step", case, version), "source": "//fengsui/hazards"}
    fields["data"] = CaseData.model_validate(
        {
            "case": name("case", case),
            "version": version,
            "kind": kind,
            "by": "//test/dcs",
            "event": pushed and Origin(source="//test/dcs", id=pushed),
            "title": "T-1 红色报警",
            "enterprise_name": "测试企业",
            "state": STATES.get(kind, CaseState.REPORTED),
            "level": "red",
            "tier": Tier.COUNTY,
            "opened_at": AT,
            "due_at": AT + timedelta(minutes=30),
            "occurrences": 1,
            "in_alarm": True,
        }
        | data
    )
    return CaseChanged.model_validate(fields | more)


def answer(case: str = "c1", after: timedelta = timedelta(seconds=90), **more: Any) -> NotificationChanged:
    """The first answer for a case."""
    data = more.pop("data", {})
    fields = _envelope(more) | {"id": name("answer", case), "source": "//fengsui/notify", "time": AT + after}
    fields["data"] = NotificationData.model_validate(
        {
            "notification": name("notification", case),
            "kind": NotificationKind.ACKNOWLEDGED,
            "state": NotificationState.ACKNOWLEDGED,
            "case": name("case", case),
            "call": name("call", case),
            "tier": Tier.COUNTY,
            "level": "red",
            "title": "T-1 红色报警",
            "by": "officer",
            "case_first": True,
            "first_created_at": AT,
        }
        | data
    )
    return NotificationChanged.model_validate(fields | more)


def enterprise(called: str, version: int = 1, uscc: str = ENTERPRISE) -> EnterpriseRegistered:
    """An enterprise as the registry tells of it."""
    data = {"uscc": uscc, "name": called, "region": "220802", "industry": "petrochemical", "version": version}
    fields = {"id": name("enterprise", uscc, version), "source": "//fengsui/ingest", "data": data}
    return EnterpriseRegistered.model_validate(_envelope({"enterprise": uscc}) | fields)


def _envelope(more: dict[str, Any]) -> dict[str, Any]:
    return {"time": AT, "enterprise": ENTERPRISE, "region": "220802", "industry": "petrochemical"} | {
        field: more[field] for field in ("time", "enterprise", "region", "industry") if field in more
    }
