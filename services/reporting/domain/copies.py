"""How cases and enterprises stood when reporting last heard of them; of two versions the newer counts."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.reporting.domain.period import day_of
from shared.events.cases import CaseChanged
from shared.events.registry import EnterpriseData
from shared.vocabulary import CaseState, Level


class CaseCopy(NamedTuple):
    """A case, as far as figures need it: a row, for there are as many as steps of cases."""

    id: UUID
    version: int
    state: CaseState
    region: str
    industry: str
    level: Level
    grade: str
    """Empty where there is none."""
    enterprise: str
    opened_at: datetime
    opened_on: date
    due_at: datetime | None


def copy_of(change: CaseChanged) -> CaseCopy:
    """The case after one step."""
    data = change.data
    return CaseCopy(
        id=data.case,
        version=data.version,
        state=data.state,
        region=change.region,
        industry=change.industry,
        level=data.level,
        grade=data.grade or "",
        enterprise=change.enterprise,
        opened_at=data.opened_at,
        opened_on=day_of(data.opened_at),
        due_at=data.due_at,
    )


def newest_cases(changes: Iterable[CaseChanged]) -> list[CaseCopy]:
    """The newest copy of each case, in the order of their ids."""
    copies = {copy.id: copy for copy in sorted(map(copy_of, changes), key=lambda copy: copy.version)}
    return [copies[case] for case in sorted(copies)]


def newest_enterprises(told: Iterable[EnterpriseData]) -> list[EnterpriseData]:
    """The newest copy of each enterprise, in the order of their codes."""
    copies = {enterprise.uscc: enterprise for enterprise in sorted(told, key=lambda enterprise: enterprise.version)}
    return [copies[uscc] for uscc in sorted(copies)]
