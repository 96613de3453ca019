"""Rows into values and back; the only place that knows hazards' tables."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.hazards.domain.alarm import AlarmKey, BoardAlarm
from services.hazards.domain.case import Case, Step, tell
from services.hazards.domain.deadlines import DEFAULTS, Period, Periods
from services.hazards.domain.ledger import Ledger, Policies, Policy
from shared import outbox
from shared.database import Connection
from shared.due import Rows
from shared.statements import statements
from shared.topics import CASES
from shared.vocabulary import AlarmState, CaseState, Grade, Level, Tier

_SQL = statements("services.hazards")
LOCK_ALARMS = _SQL["lock_alarms"]
LOCK_OPEN_CASES = _SQL["lock_open_cases"]
SAVE_ALARMS = _SQL["save_alarms"]
SAVE_CASES = _SQL["save_cases"]
CHANGE_CASE = _SQL["change_case"]
ADD_STEPS = _SQL["add_steps"]
ACKNOWLEDGE_ALARMS = _SQL["acknowledge_alarms"]
ACKNOWLEDGE_RECALLED = _SQL["acknowledge_recalled"]
TAKE_DUE_CASES = _SQL["take_due_cases"]
TAKE_UNANSWERED = _SQL["take_unanswered_alarms"]
LATE = _SQL["late"]
PERIODS = _SQL["periods"]
POLICIES = _SQL["policies"]
NOW = _SQL["now"]
LOCK_CASE = _SQL["lock_case"]
CASE_BY_ID = _SQL["case_by_id"]
TIMELINE_PAGE = _SQL["timeline_page"]
TIMELINES_OF = _SQL["timelines_of"]
LIST_CASES = _SQL["list_cases"]
LIST_ALARMS = _SQL["list_alarms"]
LIST_GRAVEST = _SQL["list_gravest"]
BOARD_ALARMS = _SQL["board_alarms"]
BOARD_CASES = _SQL["board_cases"]
BOARD_ENTERPRISES = _SQL["board_enterprises"]
TRACED = _SQL["traced"]
TOUCHED = _SQL["touched"]
RECALLED_STEPS = _SQL["recalled_steps"]
RECALLED_NEXT = _SQL["recalled_next"]
RECALLED_ANSWERS = _SQL["recalled_answers"]
FORGET_RECALLED = _SQL["forget_recalled"]


async def now(db: Connection) -> datetime:
    """The database's clock, the same all through a transaction."""
    moment: datetime = await db.fetchval(NOW)
    return moment


async def periods(db: Connection) -> Periods:
    """The deadline periods in force."""
    rows = await db.fetch(PERIODS)
    return {**DEFAULTS, **{(row["stage"], row["what"]): Period(row["within"], row["climb"]) for row in rows}}


async def policies(db: Connection) -> Policies:
    """When an alarm that is not serious opens a case."""
    return {Level(row["level"]): Policy(row["repeats"], row["unanswered"]) for row in await db.fetch(POLICIES)}


async def board(db: Connection, points: Iterable[tuple[str, str]]) -> list[BoardAlarm]:
    """The alarms of some points, held for this transaction."""
    wanted = sorted(set(points))
    return [alarm_of(row) for row in await db.fetch(LOCK_ALARMS, [e for e, _ in wanted], [p for _, p in wanted])]


async def open_cases(db: Connection, causes: Iterable[UUID]) -> list[Case]:
    """The open case of each cause, held for this transaction."""
    return [case_of(row) for row in await db.fetch(LOCK_OPEN_CASES, sorted(set(causes)))]


async def save_alarms(db: Connection, alarms: Iterable[BoardAlarm]) -> None:
    """Writes the board's changed places, in the order of their keys."""
    rows = [
        (
            a.key.enterprise, a.key.point, a.key.level.value, a.region, a.industry, a.enterprise_name, a.state.value,
            a.value, a.limit, a.message, a.raised_at, a.cleared_at, a.occurrences, a.case, a.acknowledged_at,
            a.acknowledged_by, a.unanswered_at, a.said_at,
        )
        for a in sorted(alarms, key=lambda a: a.key)
    ]  # fmt: skip
    if rows:
        await db.execute(SAVE_ALARMS, *map(list, zip(*rows, strict=True)))


async def save_cases(db: Connection, cases: Iterable[Case]) -> None:
    """Writes how cases stand, in the order of their keys."""
    rows = [
        (
            c.id, c.cause, c.version, c.state.value, c.grade, c.level.value, c.title, c.enterprise, c.enterprise_name,
            c.region, c.industry, c.point, c.opened_at, c.due_at, c.overdue, c.tier.value, c.occurrences,
            ",".join(sorted(c.active)), c.next_check_at, c.responsible, c.measures, c.money, c.plan, c.submitted_by,
        )
        for c in sorted(cases, key=lambda c: c.id)
    ]  # fmt: skip
    if rows:
        await db.execute(SAVE_CASES, *map(list, zip(*rows, strict=True)))


async def save_steps(db: Connection, steps: Sequence[tuple[Case, Step]]) -> None:
    """Writes the newest state of each case, and all its steps."""
    if not steps:
        return
    cases = {case.id: case for case, _ in steps}.values()
    await save_cases(db, [case for case in cases if not case.is_open])  # first: a cause has one open case at a time
    await save_cases(db, [case for case in cases if case.is_open])
    await _add_steps(db, [step for _, step in steps])


async def _add_steps(db: Connection, steps: Iterable[Step]) -> None:
    lines = [
        (
            s.case, s.version, s.id, s.at, s.kind.value, s.by, s.detail,
            s.origin and s.origin.source, s.origin and s.origin.id, s.cause,
        )
        for s in steps
    ]  # fmt: skip
    await db.execute(ADD_STEPS, *map(list, zip(*lines, strict=True)))


async def keep(db: Connection, ledger: Ledger) -> None:
    """Writes a batch's changed alarms, cases and steps, and says what happened to the cases."""
    await save_alarms(db, ledger.changed.values())
    await save_steps(db, ledger.steps)
    await outbox.put(db, CASES, [tell(case, step) for case, step in ledger.steps])


async def keep_step(db: Connection, case: Case, step: Step) -> None:
    """Writes what a person's step made of a case that is held, and says it."""
    await db.execute(
        CHANGE_CASE, case.id, case.version, case.state.value, case.grade, case.due_at, case.overdue, case.tier.value,
        case.next_check_at, case.responsible, case.measures, case.money, case.plan, case.submitted_by,
    )  # fmt: skip
    await _add_steps(db, [step])
    await outbox.put(db, CASES, [tell(case, step)])


async def acknowledge_alarms(
    db: Connection, answers: dict[UUID, tuple[datetime, str]], *, recalled: bool = False
) -> None:
    """Marks the alarms of cases that somebody answered; `recalled` after a restore, once every alarm is read again."""
    cases = sorted(answers)
    statement = ACKNOWLEDGE_RECALLED if recalled else ACKNOWLEDGE_ALARMS
    await db.execute(statement, cases, [answers[c][0] for c in cases], [answers[c][1] for c in cases])


async def due_cases(db: Connection, limit: int) -> Rows:
    """Cases whose deadline is to be looked at now."""
    return await db.fetch(TAKE_DUE_CASES, limit)


async def unanswered_alarms(db: Connection, limit: int) -> Rows:
    """Alarms that waited too long for an answer."""
    return await db.fetch(TAKE_UNANSWERED, limit)


async def case_for_command(db: Connection, case: UUID) -> Case | None:
    """One case, held for a command."""
    row = await db.fetchrow(LOCK_CASE, case)
    return case_of(row) if row else None


async def case_by_id(db: Connection, case: UUID) -> Case | None:
    """One case."""
    row = await db.fetchrow(CASE_BY_ID, case)
    return case_of(row) if row else None


async def recalled_steps(db: Connection, cases: Iterable[UUID]) -> list[bytes]:
    """Records of what was told of some cases after the backup, and of how any case began."""
    return [row["body"] for row in await db.fetch(RECALLED_STEPS, sorted(set(cases)))]


async def recalled_next(db: Connection, limit: int) -> list[Case]:
    """Cases whose next step was recalled, held for this transaction."""
    return [case_of(row) for row in await db.fetch(RECALLED_NEXT, limit)]


async def forget_recalled(db: Connection, cases: Iterable[UUID]) -> None:
    """Gives up steps that do not fit the case any more."""
    await db.execute(FORGET_RECALLED, list(cases))


async def recalled_answers(db: Connection, limit: int) -> list[bytes]:
    """Takes records of answers that were set aside."""
    return [row["body"] for row in await db.fetch(RECALLED_ANSWERS, limit)]


def case_of(row: Any) -> Case:
    """A row of `cases` as a value."""
    fields = dict(row)
    fields.pop("changed_at", None)
    fields["state"] = CaseState(row["state"])
    fields["grade"] = Grade(row["grade"]) if row["grade"] else None
    fields["level"] = Level(row["level"])
    fields["tier"] = Tier(row["tier"])
    fields["active"] = frozenset(map(Level, row["active"]))
    return Case(**fields)


def alarm_of(row: Any) -> BoardAlarm:
    """A row of `alarms` as a value."""
    fields = dict(row)
    key = AlarmKey(fields.pop("enterprise"), fields.pop("point"), Level(fields.pop("level")))
    fields["state"] = AlarmState(row["state"])
    return BoardAlarm(key=key, case=fields.pop("case_id"), **fields)
