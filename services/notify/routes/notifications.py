"""Notifications in sight, and their acknowledgement."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime
from starlette.responses import JSONResponse

from services.notify.domain.call import Call
from services.notify.domain.course import answered
from services.notify.domain.notification import Notification
from services.notify.routes.answers import Json, filters_of, not_found, prefix
from services.notify.shapes import notification_json
from services.notify.store import calls as store
from services.notify.store.rows import call_of, notification_of
from services.notify.telling import keep
from shared.access import Reader, Staff, staff_with
from shared.database import Connection
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.problems import Problem
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
    since: AwareDatetime | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """A page of notifications, newest first."""
    limit = capped(limit)
    filters = filters_of(staff, state, case, region, contact, since)
    after = place_of(cursor, filters, 2)
    async with request.app.state.service.ask.acquire() as db:
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
    async with request.app.state.service.ask.acquire() as db:
        found = await _in_sight(db, notification, staff)
        return Json((await _shown(db, [found]))[0])


@router.post("/notifications/{notification}/acknowledge")
async def acknowledge(request: Request, notification: UUID, staff: DutyStaff) -> JSONResponse:
    """Answers the whole call; whoever was told hears of it. Once answered, the first answer stands."""
    async with request.app.state.service.ask.acquire() as db, db.transaction():
        found = await _in_sight(db, notification, staff)
        if not found.can_be_acknowledged:
            raise Problem(409, "not_told", f"a {found.state} notification was told to nobody", state=found.state)
        if found.state is not NotificationState.ACKNOWLEDGED:
            found = await _answer(db, found, staff.name)
        (answer,) = await _shown(db, [found])
    request.app.state.service.wake()
    return Json(answer)


async def _answer(db: Connection, asked: Notification, by: str) -> Notification:
    """Decides under the case's and the call's lock, where somebody else may have been first."""
    (row,) = await db.fetch(store.CALLS_BY_ID, [asked.call])
    (case,) = await store.told_cases(db, [row["case_id"]], [])
    known, now = await store.calls_held(db, [asked.call]), await store.now(db)
    call = known[asked.call]
    if _one(call, asked.id).state is not NotificationState.ACKNOWLEDGED:
        call, steps = answered(call, by, now, chosen=asked.id, case_first=case.answered_at is None)
        await store.answer_cases(db, [case.case])
        await keep(db, known, [call], [(call, step) for step in steps], now)
    return _one(call, asked.id)


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
