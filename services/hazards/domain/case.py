"""A case (台账条目) and its life: what each sign, command and deadline makes of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.hazards.domain.alarm import Turn
from services.hazards.domain.deadlines import Period, Periods, to_confirm, to_rectify
from services.hazards.domain.grading import LEVEL_ZH, level_of
from shared.codes import tier_of
from shared.events.alarms import Alarm
from shared.events.cases import CaseChanged, CaseData
from shared.events.event import NAMESPACE, Origin, derived_id
from shared.events.hazards import HazardReport
from shared.vocabulary import GRAVITY, CaseKind, CaseState, Grade, Level, Tier

SOURCE = "//fengsui/hazards"
SYSTEM = "fengsui"
ENDED = frozenset({CaseState.CLOSED, CaseState.VOID})
TITLE_LIMIT = 200
ON_THE_PAGE = frozenset({"readings"})  # of a step's detail what only its timeline holds


@dataclass(frozen=True, slots=True)
class Case:
    """How a case stands."""

    id: UUID
    cause: UUID
    version: int
    state: CaseState
    grade: Grade | None
    level: Level
    title: str
    enterprise: str
    enterprise_name: str
    region: str
    industry: str
    point: str | None
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    tier: Tier
    occurrences: int
    active: frozenset[Level]
    """Levels of its alarm that are in alarm now."""
    next_check_at: datetime | None
    """When the deadline is looked at next."""
    responsible: str | None = None
    measures: str | None = None
    money: str | None = None
    plan: str | None = None
    submitted_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the timeline; `id` is also the id of the event that tells of it."""

    id: UUID
    case: UUID
    version: int
    kind: CaseKind
    at: datetime
    by: str
    detail: dict[str, Any] = field(default_factory=dict)
    origin: Origin | None = None
    cause: UUID | None = None
    """The event that touched the case; none for a command or a deadline."""
    returned: bool = False
    traceparent: str | None = None


@lru_cache(maxsize=100_000)
def alarm_cause(enterprise: str, point: str) -> UUID:
    """An alarm's cause is its point."""
    return derived_id(NAMESPACE, "point", f"{enterprise}/{point}")


def after_alarm(case: Case | None, alarm: Alarm, turn: Turn, periods: Periods) -> tuple[Case, Step]:
    """The case once a raised alarm is known, of which `turn` says what it did to the board."""
    if case is None:
        return _opened(alarm, turn, periods)
    active = case.active | {alarm.data.level} if turn is not Turn.LATE else case.active
    worse = GRAVITY[alarm.data.level] > GRAVITY[case.level]
    case = replace(
        case,
        version=case.version + 1,
        level=alarm.data.level if worse else case.level,
        occurrences=case.occurrences + 1,
        active=active,
    )
    returned = turn is Turn.RAISED and active == {alarm.data.level} and not worse
    return case, _alarm_step(case, alarm, CaseKind.WORSENED if worse else CaseKind.REPEATED, returned=returned)


def after_clearing(case: Case, alarm: Alarm) -> tuple[Case, Step]:
    """The case once one level of its alarm has cleared; the case itself goes on."""
    case = replace(case, version=case.version + 1, active=case.active - {alarm.data.level})
    return case, _alarm_step(case, alarm, CaseKind.CLEARED)


def after_report(report: HazardReport, periods: Periods) -> tuple[Case, Step]:
    """Every hazard report opens a case: its cause is its own identity."""
    level = level_of(report.data.grade)
    case = _new(report, report.id, level, report.data.title, None, report.data.grade, frozenset(), periods)
    detail = report.data.model_dump(mode="json", exclude_none=True, exclude={"title"})
    return case, _step(case, CaseKind.OPENED, report, detail)


def _opened(alarm: Alarm, turn: Turn, periods: Periods) -> tuple[Case, Step]:
    data = alarm.data
    title = f"{data.point} {LEVEL_ZH[data.level]}报警" + (f"：{data.message}" if data.message else "")
    active = frozenset() if turn is Turn.LATE else frozenset({data.level})
    case = _new(alarm, alarm_cause(alarm.enterprise, data.point), data.level, title, data.point, None, active, periods)
    return case, _alarm_step(case, alarm, CaseKind.OPENED)


def _new(
    event: Alarm | HazardReport,
    cause: UUID,
    level: Level,
    title: str,
    point: str | None,
    grade: Grade | None,
    active: frozenset[Level],
    periods: Periods,
) -> Case:
    opened_at = event.accepted or event.time
    due_at = opened_at + to_confirm(periods, level).within
    return Case(
        id=derived_id(event.id, "opened"),
        cause=cause,
        version=1,
        state=CaseState.REPORTED,
        grade=grade,
        level=level,
        title=title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1] + "…",
        enterprise=event.enterprise,
        enterprise_name=event.enterprise_name,
        region=event.region,
        industry=event.industry,
        point=point,
        opened_at=opened_at,
        due_at=due_at,
        overdue=False,
        tier=tier_of(event.region),
        occurrences=1,
        active=active,
        next_check_at=due_at,
    )


def _alarm_step(case: Case, alarm: Alarm, kind: CaseKind, *, returned: bool = False) -> Step:
    data = alarm.data
    told: dict[str, Any] = {
        "level": data.level.value,
        "value": data.value,
        "limit": data.limit,
        "message": data.message,
        "readings": [reading.model_dump(mode="json") for reading in data.readings] if data.readings else None,
    }
    detail = {name: value for name, value in told.items() if value is not None}
    return _step(case, kind, alarm, detail, returned=returned)


def _step(
    case: Case, kind: CaseKind, event: Alarm | HazardReport, detail: dict[str, Any], *, returned: bool = False
) -> Step:
    return Step(
        id=derived_id(event.id, "case"),
        case=case.id,
        version=case.version,
        kind=kind,
        at=event.time,
        by=event.source,
        detail=detail,
        origin=Origin(source=event.source, id=event.pushid) if event.pushid else None,
        cause=event.id,
        returned=returned,
        traceparent=event.traceparent,
    )


def period_of(case: Case, periods: Periods) -> Period:
    """How long the case may stay where it is."""
    if case.state is CaseState.REPORTED or case.grade is None:
        return to_confirm(periods, case.level)
    return to_rectify(periods, case.grade)


_NEXT_TIER = {Tier.COUNTY: Tier.CITY, Tier.CITY: Tier.PROVINCE}


def after_deadline(case: Case, now: datetime, period: Period) -> tuple[Case, Step | None]:
    """The case when its deadline is looked at: overdue first, then a tier up at each further period."""
    if not case.is_open or case.next_check_at is None or now < case.next_check_at:
        return case, None
    if not case.overdue:
        kind, tier = CaseKind.OVERDUE, case.tier
    elif case.tier in _NEXT_TIER:
        kind, tier = CaseKind.ESCALATED, _NEXT_TIER[case.tier]
    else:
        return replace(case, next_check_at=None), None
    case = replace(
        case,
        version=case.version + 1,
        overdue=True,
        tier=tier,
        next_check_at=now + period.climb if tier in _NEXT_TIER else None,
    )
    step = Step(
        id=derived_id(case.id, kind, case.version),
        case=case.id,
        version=case.version,
        kind=kind,
        at=now,
        by=SYSTEM,
        detail={"due_at": case.due_at.isoformat() if case.due_at else None, "tier": tier.value},
    )
    return case, step


def tell(case: Case, step: Step) -> CaseChanged:
    """What others hear of a step: how the case stands after it, so that nobody must ask back."""
    return CaseChanged(
        id=step.id,
        source=SOURCE,
        time=step.at,
        enterprise=case.enterprise,
        region=case.region,
        industry=case.industry,
        traceparent=step.traceparent,
        data=CaseData(
            case=case.id,
            version=case.version,
            kind=step.kind,
            by=step.by,
            detail={name: value for name, value in step.detail.items() if name not in ON_THE_PAGE},
            event=step.origin,
            title=case.title,
            enterprise_name=case.enterprise_name,
            point=case.point,
            state=case.state,
            level=case.level,
            grade=case.grade,
            tier=case.tier,
            opened_at=case.opened_at,
            due_at=case.due_at,
            occurrences=case.occurrences,
            in_alarm=bool(case.active),
            returned=step.returned,
        ),
    )
