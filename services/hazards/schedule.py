"""What falls due: deadlines that make a case overdue and climb, alarms that nobody answered."""

from dataclasses import replace

from services.hazards import metrics, store
from services.hazards.domain.alarm import BoardAlarm, Turn
from services.hazards.domain.case import after_alarm, after_deadline, alarm_cause
from services.hazards.domain.deadlines import to_confirm, to_rectify
from services.hazards.domain.ledger import Ledger
from shared.database import Connection
from shared.events.alarms import Alarm, AlarmData
from shared.events.event import NAMESPACE, derived_id
from shared.timers import Timer
from shared.vocabulary import AlarmState, CaseState

BATCH = 100


async def climb(db: Connection) -> int:
    """Cases past their deadline become overdue, then climb a tier at each further period."""
    ledger, now, periods = Ledger(), await store.now(db), await store.periods(db)
    due, resting = await store.due_cases(db, BATCH), []
    for case in due:
        period = (
            to_confirm(periods, case.level)
            if case.state is CaseState.REPORTED or case.grade is None
            else to_rectify(periods, case.grade)
        )
        changed, step = after_deadline(case, now, period)
        if step is None:
            resting.append(changed)
        else:
            ledger.steps.append((changed, step))
    await store.save_cases(db, resting)
    await store.keep(db, ledger)
    metrics.count((), ledger, await store.now(db))
    return len(due)


async def open_unanswered(db: Connection) -> int:
    """An alarm that nobody answered for so long opens a case, or joins the one open at its point."""
    due = await store.unanswered_alarms(db, BATCH)
    if not due:
        return 0
    ledger, periods = Ledger(), await store.periods(db)
    causes = {place.key: alarm_cause(place.key.enterprise, place.key.point) for place in due}
    known = {case.cause: case for case in await store.open_cases(db, causes.values())}
    for place in due:
        case, step = after_alarm(known.get(causes[place.key]), _as_alarm(place), Turn.RAISED, periods)
        known[case.cause] = case
        ledger.steps.append((case, step))
        ledger.changed[place.key] = replace(place, case=case.id, unanswered_at=None)
    await store.keep(db, ledger)
    metrics.count((), ledger, await store.now(db))
    return len(due)


def _as_alarm(place: BoardAlarm) -> Alarm:
    """The alarm that waited, as the sign that opens its case; its id is of (row, step), so it is made once."""
    assert place.raised_at is not None
    name = f"{place.key.enterprise}/{place.key.point}/{place.key.level}/{place.occurrences}"
    return Alarm(
        id=derived_id(NAMESPACE, "unanswered", name),
        source="//fengsui/hazards",
        time=place.raised_at,
        enterprise=place.key.enterprise,
        enterprise_name=place.enterprise_name,
        region=place.region,
        industry=place.industry,
        data=AlarmData(
            point=place.key.point,
            level=place.key.level,
            state=AlarmState.RAISED,
            value=place.value,
            limit=place.limit,
            message=place.message,
        ),
    )


TIMERS = (Timer("climb", 1.0, climb, BATCH), Timer("open_unanswered", 1.0, open_unanswered, BATCH))
