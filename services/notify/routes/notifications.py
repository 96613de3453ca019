"""Notifications in sight, and their acknowledgement."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse

from services.notify.domain.call import Call, Step
from services.notify.domain.course import answered
from services.notify.domain.notification import Notification
from services.notify.routes.answers import Json, filters_of, not_found, prefix
from services.notify.shapes import notification_json
from services.notify.store import calls as store
from services.notify.store.rows import call_of, notification_of
from services.notify.telling import keep
from shared import audit, recovery
from shared.access import Reader, Staff, staff_with
from shared.database import Connection
from shared.moments import WrittenMoment
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.problems import Problem
from shared.sight import sight
from shared.vocabulary import NotificationState

router = APIRouter(prefix="/v1", tags=["notifications"])
DutyStaff = Annotated[Staff, Depends(staff_with("acknowledge"))]


@router.get("/notifications")
async def list_notifications(
    request: Request,
    staff: Reader,
    state: Annotated[list[NotificationState] | None, Query()] = None,
    case: UUID | None = None,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    contact: Annotated[str | None, Query(max_length=64)] = None,
    since: WrittenMoment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """A page of notifications, newest first."""
    limit = capped(limit)
    filters = filters_of(staff, state, case, region, contact, since)
    after = place_of(cursor, filters, 2)
    async with sight(request, staff) as db:
        rows = await db.fetch(
            store.LIST_NOTIFICATIONS,
            staff.prefix,
            staff.enterprise,
            state,
            case,
            prefix(region),
            contact,
            since,
            *((datetime.fromisoformat(after[0]), UUID(after[1])) if after else (None, None)),
            limit + 1,
        )
        kept, following = page(rows, limit, ("created_at", "id"), filters)
        items = await _shown(db, [notification_of(row) for row in kept])
    return Json({"items": items, "next": following})


@router.get("/notifications/{notification}")
async def show_notification(request: Request, notification: UUID, staff: Reader) -> JSONResponse:
    """One notification with its attempts."""
    async with sight(request, staff) as db:
        found = await _in_sight(db, notification, staff)
        return Json((await _shown(db, [found]))[0])


@router.post("/notifications/{notification}/acknowledge")
async def acknowledge(request: Request, notification: UUID, staff: DutyStaff) -> JSONResponse:
    """Answers the whole call; whoever was told hears of it. Once answered, the first answer stands."""
    async with sight(request, staff) as db:
        found = await _in_sight(db, notification, staff)
        await recovery.refuse(db)
        if not found.can_be_acknowledged:
            raise Problem(409, "not_told", f"a {found.state} notification was told to nobody", state=found.state)
        if found.state is not NotificationState.ACKNOWLEDGED:
            found = await _answer(db, found, staff)
        (answer,) = await _shown(db, [found])
    request.app.state.service.wake()
    return Json(answer)


@router.post("/cases/{case}/acknowledge")
async def acknowledge_case(request: Request, case: UUID, staff: DutyStaff) -> JSONResponse:
    """Answers every call of a case that waits, told to somebody or not; of those answered the first answer stands."""
    async with sight(request, staff) as db:
        rows = await db.fetch(store.CALLS_OF_CASE, case, staff.prefix, staff.enterprise)
        if not rows:
            raise not_found("case")
        await recovery.refuse(db)
        calls = await _answer_all(db, case, [row["id"] for row in rows], staff)
        answers = [call for call in calls if call.answered_at is not None]
        if not answers:
            raise Problem(409, "nothing_to_answer", "the case calls nobody, and nobody has answered it")
        items = await _shown(db, [each for call in answers for each in call.notifications])
    request.app.state.service.wake()
    first = min(answers, key=lambda call: (call.answered_at, call.id))
    answer = {"case": case, "acknowledged_at": first.answered_at, "acknowledged_by": first.answered_by}
    return Json(answer | {"items": items, "next": None})


async def _answer_all(db: Connection, case: UUID, calls: list[UUID], staff: Staff) -> list[Call]:
    """The calls once all of them that wait are answered, decided under the case's and the calls' locks."""
    (told,) = await store.told_cases(db, [case], [])
    known, now = await store.calls_held(db, calls), await store.now(db)
    changed: dict[UUID, Call] = {}
    steps: list[tuple[Call, Step]] = []
    for call in known.values():
        if call.waits:
            answer, taken = answered(call, staff.name, now, case_first=told.answered_at is None and not steps)
            changed[call.id] = answer
            steps += [(answer, step) for step in taken]
    if changed:
        await store.answer_cases(db, [case])
        await keep(db, known, list(changed.values()), steps, now)
        await _record(db, staff, f"case/{case}", list(changed.values()))
    return list((known | changed).values())


async def _answer(db: Connection, asked: Notification, staff: Staff) -> Notification:
    """Decides under the case's and the call's lock, where somebody else may have been first."""
    (row,) = await db.fetch(store.CALLS_BY_ID, [asked.call])
    (case,) = await store.told_cases(db, [row["case_id"]], [])
    known, now = await store.calls_held(db, [asked.call]), await store.now(db)
    call = known[asked.call]
    if _one(call, asked.id).state is not NotificationState.ACKNOWLEDGED:
        call, steps = answered(call, staff.name, now, chosen=asked.id, case_first=case.answered_at is None)
        await store.answer_cases(db, [case.case])
        await keep(db, known, [call], [(call, step) for step in steps], now)
        await _record(db, staff, f"notification/{asked.id}", [call])
    return _one(call, asked.id)


async def _record(db: Connection, staff: Staff, subject: str, calls: list[Call]) -> None:
    where = {"region": calls[0].region, "enterprise": calls[0].enterprise}
    await audit.record(db, staff, "acknowledge", subject, **where, calls=[call.id for call in calls])


async def _in_sight(db: Connection, notification: UUID, staff: Staff) -> Notification:
    row = await db.fetchrow(store.NOTIFICATION_BY_ID, notification)
    if row is None or not staff.sees(row["region"], row["enterprise"]):
        raise not_found("notification")
    return notification_of(row)


def _one(call: Call, wanted: UUID) -> Notification:
    return next(each for each in call.notifications if each.id == wanted)


async def _shown(db: Connection, notifications: list[Notification]) -> list[dict[str, Any]]:
    calls = await db.fetch(store.CALLS_BY_ID, list({each.call for each in notifications}))
    by_id = {row["id"]: call_of(row) for row in calls}
    attempts = await store.attempts_of(db, (each.id for each in notifications))
    return [notification_json(by_id[each.call], each, attempts.get(each.id, ())) for each in notifications]
