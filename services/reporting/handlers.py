"""What reporting hears: everything that happens, each event once, as facts, as copies, or held with the reason."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.reporting import metrics, store
from services.reporting.domain.copies import newest_cases, newest_enterprises
from services.reporting.domain.tally import Fact, is_first_answer, of_alarm, of_answer, of_case, roll_up
from shared.consumer import CALM, Held, takes
from shared.database import Connection
from shared.events.alarms import Alarm
from shared.events.cases import CaseChanged
from shared.events.event import Event
from shared.events.hazards import HazardReport
from shared.events.notifications import NotificationChanged
from shared.events.registry import EnterpriseRegistered, PointRegistered
from shared.topics import ALARMS, CASES, NOTIFICATIONS, REGISTRY, REPORTS

CLEARED = "alarm_cleared"
COUNTED_AS_CASE = "counted_as_case"
OLDER = "older_version"
POINT = "points_not_counted"


@takes(ALARMS, patience=CALM)
async def count_alarms(db: Connection, alarms: Sequence[Alarm]) -> Held:
    """A raised alarm is a fact."""
    counted = await count(db, [fact for alarm in alarms for fact in of_alarm(alarm)])
    return {alarm.id: CLEARED for alarm in alarms if alarm.id not in counted}


@takes(REPORTS, patience=CALM)
async def leave_reports_to_cases(_db: Connection, reports: Sequence[HazardReport]) -> Held:
    """Every hazard report opens a case, and is counted as that."""
    return {report.id: COUNTED_AS_CASE for report in reports}


@takes(CASES, patience=CALM)
async def count_cases(db: Connection, changes: Sequence[CaseChanged]) -> Held:
    """Openings and closings are facts; how a case stands is a copy."""
    counted = await count(db, [fact for change in changes for fact in of_case(change)])
    kept = await store.keep_cases(db, newest_cases(changes))
    return {change.id: OLDER for change in changes if change.id not in counted and change.data.case not in kept}


@takes(NOTIFICATIONS, is_first_answer, CALM)
async def count_answers(db: Connection, answers: Sequence[NotificationChanged]) -> None:
    """The first answer for a case is a fact."""
    await count(db, [of_answer(answer) for answer in answers])


@takes(REGISTRY, patience=CALM)
async def keep_names(db: Connection, told: Sequence[EnterpriseRegistered | PointRegistered]) -> Held:
    """What an enterprise is called is a copy."""
    enterprises = [event for event in told if isinstance(event, EnterpriseRegistered)]
    kept = await store.keep_enterprises(db, newest_enterprises(event.data for event in enterprises))
    return _points(told) | {event.id: OLDER for event in enterprises if event.data.uscc not in kept}


def _points(told: Iterable[Event]) -> dict[UUID, str]:
    return {event.id: POINT for event in told if isinstance(event, PointRegistered)}


async def count(db: Connection, facts: Sequence[Fact]) -> set[UUID]:
    """Keeps facts and adds the new ones to the roll-ups; answers the ids of the events that are facts."""
    new = await store.add_facts(db, facts)
    await store.add_to_rollups(db, roll_up(new))
    metrics.count(new)
    return {fact.id for fact in facts}
