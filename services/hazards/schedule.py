"""What falls due: deadlines that make a case overdue and climb, alarms that nobody answered."""

from collections.abc import Sequence
from dataclasses import replace

from services.hazards import metrics, store
from services.hazards.domain.alarm import Turn, as_alarm
from services.hazards.domain.case import Case, after_alarm, after_deadline, alarm_cause, period_of
from services.hazards.domain.ledger import Ledger
from services.hazards.recovery import recalled
from shared import telemetry
from shared.database import Connection
from shared.due import Due, Rows
from shared.events.notifications import NotificationChanged
from shared.timers import Timer

BATCH = 100


async def _climb(db: Connection, rows: Rows) -> None:
    """Cases past their deadline become overdue, then climb a tier at each further period."""
    ledger, now, periods = Ledger(), await store.now(db), await store.periods(db)
    resting = []
    for case in map(store.case_of, rows):
        changed, step = after_deadline(case, now, period_of(case, periods))
        if step is None:
            resting.append(changed)
        else:
            ledger.steps.append((changed, step))
    await store.save_cases(db, resting)
    await store.keep(db, ledger)
    metrics.count((), ledger, await store.now(db))


async def _open_unanswered(db: Connection, rows: Rows) -> None:
    """An alarm that nobody answered for so long opens a case, or joins the one open at its point."""
    due = [store.alarm_of(row) for row in rows]
    ledger, periods = Ledger(), await store.periods(db)
    causes = {place.key: alarm_cause(place.key.enterprise, place.key.point) for place in due}
    known = {case.cause: case for case in await store.open_cases(db, causes.values())}
    for place in due:
        case, step = after_alarm(known.get(causes[place.key]), as_alarm(place), Turn.RAISED, periods)
        known[case.cause] = case
        ledger.steps.append((case, step))
        ledger.changed[place.key] = replace(place, case=case.id, unanswered_at=None)
    await store.keep(db, ledger)
    metrics.count((), ledger, await store.now(db))


climb = Due("climb", store.due_cases, lambda row: str(row["id"]), _climb, BATCH)
open_unanswered = Due(
    "open_unanswered",
    store.unanswered_alarms,
    lambda row: f"{row['enterprise']}/{row['point']}/{row['level']}",
    _open_unanswered,
    BATCH,
)
TIMERS = tuple(Timer(step.timer, 1.0, step, BATCH, vital=True) for step in (climb, open_unanswered))


async def finish(db: Connection) -> int:
    """After a restore: the steps that no sign came before, then what waited in vain, then the answers; part by part."""
    if cases := await store.recalled_next(db, BATCH):
        return await _resume(db, cases)
    if opened := await open_unanswered(db):
        return opened
    answers = [NotificationChanged.model_validate_json(body) for body in await store.recalled_answers(db, BATCH)]
    if answers:
        said = {a.data.case: (a.time, a.data.by or "") for a in reversed(answers)}
        await store.acknowledge_alarms(db, said, recalled=True)
    return len(answers)


async def _resume(db: Connection, cases: Sequence[Case]) -> int:
    board = await store.board(db, {(case.enterprise, case.point) for case in cases if case.point is not None})
    told, periods = await recalled(db, [case.id for case in cases]), await store.periods(db)
    ledger = Ledger({place.key: place for place in board}, recalled=told)
    for case in cases:
        ledger.resume(case, periods)
    await store.keep(db, ledger)
    stuck = {case.id for case in cases} - {case.id for case, _ in ledger.steps}
    if stuck:
        await store.forget_recalled(db, stuck)
        telemetry.log.error("steps_not_recalled", cases=len(stuck), first=str(min(stuck)))
    return len(cases)
