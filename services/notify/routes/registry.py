"""Contacts and rosters: read by who sees their region, and imported from files."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse

from services.notify.registry import import_contacts, import_rosters
from services.notify.routes.answers import Json, filters_of, prefix
from services.notify.sealing import Seal
from services.notify.store import registry as store
from shared import audit
from shared.access import Reader, Staff, staff_with
from shared.database import Connection
from shared.moments import WrittenMoment
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.sight import sight
from shared.tables import read_body
from shared.vocabulary import Role

router = APIRouter(prefix="/v1", tags=["registry"])
RosterStaff = Annotated[Staff, Depends(staff_with("rosters"))]


@router.post("/contacts/import")
async def take_contacts(request: Request, staff: RosterStaff) -> JSONResponse:
    """Takes the contacts of a CSV file, all or none; secrets that were made are shown this once."""
    body = await read_body(request)
    service = request.app.state.service
    async with sight(request, staff) as db:
        answer = await import_contacts(db, Seal(service.settings.home), staff, body)
        await _record(db, staff, "contacts", body, answer)
    return Json(answer)


@router.post("/rosters/import")
async def take_rosters(request: Request, staff: RosterStaff) -> JSONResponse:
    """Takes the rosters of a CSV file, all or none."""
    body = await read_body(request)
    async with sight(request, staff) as db:
        answer = await import_rosters(db, staff, body)
        await _record(db, staff, "rosters", body, answer)
    return Json(answer)


async def _record(db: Connection, staff: Staff, what: str, body: bytes, answer: Mapping[str, Any]) -> None:
    counts = {name: answer[name] for name in ("created", "updated", "unchanged")}
    if counts["created"] or counts["updated"]:
        await audit.record(db, staff, f"import_{what}", what, **counts, file_sha256=sha256(body).hexdigest())


@router.get("/contacts")
async def list_contacts(
    request: Request,
    staff: Reader,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """A page of contacts, by name; a webhook's address is shown to who may change it."""
    limit, filters = capped(limit), filters_of(staff, region)
    after = place_of(cursor, filters, 1)
    rows = []
    if staff.role is not Role.ENTERPRISE:
        async with sight(request, staff) as db:
            rows = await db.fetch(
                store.LIST_CONTACTS, staff.prefix, prefix(region), after[0] if after else None, limit + 1
            )
    kept, following = page(rows, limit, ("contact",), filters)
    return Json({"items": [_contact_json(row, staff) for row in kept], "next": following})


@router.get("/rosters")
async def list_rosters(
    request: Request,
    staff: Reader,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    contact: Annotated[str | None, Query(max_length=64)] = None,
    since: WrittenMoment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """A page of shifts, earliest first; with `since` only those that end after it."""
    limit, filters = capped(limit), filters_of(staff, region, contact, since)
    after = place_of(cursor, filters, 3)
    rows = []
    if staff.role is not Role.ENTERPRISE:
        async with sight(request, staff) as db:
            rows = await db.fetch(
                store.LIST_SHIFTS,
                staff.prefix,
                prefix(region),
                contact,
                since,
                *((datetime.fromisoformat(after[0]), *after[1:]) if after else (None, None, None)),
                limit + 1,
            )
    kept, following = page(rows, limit, ("starts_at", "roster", "contact"), filters)
    return Json({"items": [_shift_json(row) for row in kept], "next": following})


def _contact_json(row: Any, staff: Staff) -> dict[str, Any]:
    shown = {name: row[name] for name in ("contact", "name", "region", "role", "staff", "phone", "email")}
    webhook = row["webhook"] if staff.may("rosters") else None
    return shown | {"webhook": webhook, "reachable": row["webhook"] is not None}


def _shift_json(row: Any) -> dict[str, Any]:
    shown = {name: row[name] for name in ("roster", "region", "contact", "position")}
    return shown | {"start": row["starts_at"], "end": row["ends_at"]}
