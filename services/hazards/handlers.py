"""What hazards hears: alarms, hazard reports, and that somebody answered."""

from collections.abc import Sequence

from services.hazards import metrics, recovery, store
from services.hazards.domain.case import alarm_cause
from services.hazards.domain.ledger import Ledger, take_alarms
from shared.consumer import CALM, Held, takes
from shared.database import Connection
from shared.events.alarms import Alarm
from shared.events.hazards import HazardReport
from shared.events.notifications import NotificationChanged
from shared.topics import ALARMS, NOTIFICATIONS, REPORTS
from shared.vocabulary import NotificationKind


@takes(ALARMS)
async def open_or_join_cases(db: Connection, alarms: Sequence[Alarm]) -> Held:
    """A serious alarm opens a case for its point or joins the one open there; the others stay on the board."""
    known = await store.board(db, ((alarm.enterprise, alarm.data.point) for alarm in alarms))
    cases = await store.open_cases(db, (alarm_cause(alarm.enterprise, alarm.data.point) for alarm in alarms))
    told = await recovery.told_of(db, alarms, cases)
    ledger = take_alarms(known, cases, alarms, await store.periods(db), await store.policies(db), told)
    await store.keep(db, ledger)
    metrics.count(alarms, ledger, await store.now(db))
    return ledger.held


@takes(REPORTS, patience=CALM)
async def open_reported_cases(db: Connection, reports: Sequence[HazardReport]) -> None:
    """Every hazard report opens a case of its own."""
    ledger, periods = Ledger(recalled=await recovery.told_of(db, reports)), await store.periods(db)
    for report in reports:
        ledger.report(report, periods)
    await store.keep(db, ledger)
    metrics.count(reports, ledger, await store.now(db))


def is_answer(change: NotificationChanged) -> bool:
    """Of what happens to a notification only that somebody answered touches an alarm."""
    return change.data.kind is NotificationKind.ACKNOWLEDGED


@takes(NOTIFICATIONS, is_answer, CALM)
async def acknowledge_alarms(db: Connection, answers: Sequence[NotificationChanged]) -> None:
    """An acknowledged notification acknowledges the alarms of its case."""
    first = {answer.data.case: (answer.time, answer.data.by or "") for answer in reversed(answers)}
    await store.acknowledge_alarms(db, first)
    await recovery.answer_later(db, answers)
