"""ingest over HTTP for staff: the registry in bulk, and the keys."""

import secrets
from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.ingest import records, store
from services.ingest.domain.keys import Key, hashed
from services.ingest.domain.registry import ENTERPRISE_COLUMNS, POINT_COLUMNS, BadRow, Fault, enterprise_of, point_of
from shared import audit, outbox
from shared.access import Reader, Staff, staff_with
from shared.database import Connection
from shared.errors import told
from shared.moments import WrittenMoment
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.problems import Problem
from shared.sight import sight
from shared.tables import Row, bad_rows, read_body, read_table
from shared.topics import REGISTRY

router = APIRouter(prefix="/v1", tags=["registry"])
RegistryStaff = Annotated[Staff, Depends(staff_with("registry"))]
KeyStaff = Annotated[Staff, Depends(staff_with("keys"))]
TraceStaff = Annotated[Staff, Depends(staff_with("reconcile"))]

Pushed = Annotated[str, Query(max_length=512, pattern=r"^[^\x00]+$")]


class NewKey(BaseModel):
    """For whom a key is made, and what it is called."""

    model_config = ConfigDict(extra="forbid")
    enterprise: str
    name: Annotated[str, Field(min_length=1, max_length=100)] = "default"


class NewKeys(BaseModel):
    """For whom keys are made."""

    model_config = ConfigDict(extra="forbid")
    enterprises: Annotated[list[str], Field(min_length=1, max_length=10_000)]
    name: Annotated[str, Field(min_length=1, max_length=100)] = "default"


def _rows(
    table: Sequence[Row], check: Callable[[Mapping[str, str | None]], dict[str, Any]], key: Sequence[str]
) -> list[dict[str, Any]]:
    """Every row checked, all faults together; the same key twice in one file is a fault."""
    good: list[dict[str, Any]] = []
    faults: list[tuple[int, Fault]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in table:
        try:
            found = check(row.cells)
        except BadRow as bad:
            faults += [(row.number, fault) for fault in bad.faults]
            continue
        name = tuple(found[column] for column in key)
        if (first := seen.setdefault(name, row.number)) != row.number:
            faults.append((row.number, Fault(key[-1], "twice", f"the same as row {first}")))
        good.append(found | {"row": row.number})
    if faults:
        raise bad_rows([(number, fault.column, fault.code, fault.detail) for number, fault in faults])
    return good


@router.post("/enterprises/import")
async def import_enterprises(request: Request, staff: RegistryStaff) -> dict[str, int]:
    """Registers the enterprises of a CSV file, all or none."""
    body = await read_body(request)
    rows = _rows(read_table(body, ENTERPRISE_COLUMNS), enterprise_of, ("uscc",))
    async with sight(request, staff) as db:
        changed = await store.save_enterprises(db, rows)
        await outbox.put(db, REGISTRY, changed)
        await db.execute(store.NOTIFY_DOORS)
        await _record(db, staff, "enterprises", body, changed)
    return _imported(request, rows, changed)


@router.post("/points/import")
async def import_points(request: Request, staff: RegistryStaff) -> dict[str, int]:
    """Registers the points of a CSV file, all or none."""
    body = await read_body(request)
    rows = _rows(read_table(body, POINT_COLUMNS), point_of, ("uscc", "point"))
    async with sight(request, staff) as db:
        owners = await store.pushers(db, (row["uscc"] for row in rows))
        strangers = [row for row in rows if row["uscc"] not in owners]
        if strangers:
            raise bad_rows(
                [(row["row"], "uscc", "unknown_enterprise", "no such enterprise is registered") for row in strangers]
            )
        changed = await store.save_points(db, rows, owners)
        await outbox.put(db, REGISTRY, changed)
        await db.execute(store.NOTIFY_DOORS)
        await _record(db, staff, "points", body, changed)
    return _imported(request, rows, changed)


async def _record(db: Connection, staff: Staff, what: str, body: bytes, changed: Sequence[Any]) -> None:
    if changed:
        told: dict[str, Any] = {"changed": len(changed), "file_sha256": sha256(body).hexdigest()}
        codes = sorted({event.data.uscc for event in changed})
        await audit.record(db, staff, f"import_{what}", what, enterprises=codes, **told)


def _imported(request: Request, rows: Sequence[Any], changed: Sequence[Any]) -> dict[str, int]:
    request.app.state.service.wake()
    created = sum(event.data.version == 1 for event in changed)
    return {"created": created, "updated": len(changed) - created, "unchanged": len(rows) - len(changed)}


@router.post("/keys", status_code=201)
async def create_key(request: Request, body: NewKey, staff: KeyStaff) -> dict[str, str]:
    """Makes one key; it is shown this once."""
    ((_, key),) = await _make_keys(request, [body.enterprise.upper()], body.name, staff)
    return {"key": key, "enterprise": body.enterprise.upper(), "name": body.name}


@router.post("/keys/batch", status_code=201)
async def create_keys(request: Request, body: NewKeys, staff: KeyStaff) -> dict[str, Any]:
    """Makes a key for each of many enterprises; they are shown this once."""
    codes = [code.upper() for code in body.enterprises]
    made = await _make_keys(request, codes, body.name, staff)
    return {"items": [{"enterprise": code, "key": key} for code, key in made]}


async def _make_keys(request: Request, codes: Sequence[str], name: str, staff: Staff) -> list[tuple[str, str]]:
    keys = [Key(b32encode(secrets.token_bytes(5)).decode().lower(), secrets.token_hex(20)) for _ in codes]
    async with sight(request, staff) as db:
        known = await store.pushers(db, codes)
        for code in codes:
            if code not in known:
                raise Problem(404, "unknown_enterprise", f"no enterprise {code} is registered", pointer="/enterprise")
        await db.execute(
            store.ADD_KEYS,
            [key.prefix for key in keys],
            list(codes),
            [hashed(key.secret) for key in keys],
            name,
            staff.name,
        )
        subject = f"key/{keys[0].prefix}" if len(keys) == 1 else "keys"
        prefixes = [key.prefix for key in keys]
        await audit.record(db, staff, "create_key", subject, prefixes=prefixes, enterprises=list(codes), name=name)
    return list(zip(codes, map(str, keys), strict=True))


@router.get("/keys")
async def list_keys(
    request: Request, staff: KeyStaff, enterprise: Annotated[str | None, Query(max_length=18)] = None
) -> dict[str, Any]:
    """All keys, without their secrets."""
    async with sight(request, staff) as db:
        rows = await db.fetch(store.LIST_KEYS, enterprise)
    return {"items": [dict(row) for row in rows], "next": None}


@router.post("/keys/{prefix}/revoke")
async def revoke_key(request: Request, prefix: str, staff: KeyStaff) -> dict[str, str]:
    """Ends a key at every door."""
    async with sight(request, staff) as db:
        enterprise = await db.fetchval(store.REVOKE_KEY, prefix, staff.name)
        if enterprise is None:
            raise Problem(404, "not_found", "no such key is in force")
        await db.execute(store.NOTIFY_DOORS)
        await audit.record(db, staff, "revoke_key", f"key/{prefix}", enterprise=enterprise)
    return {"prefix": prefix, "state": "revoked"}


@router.get("/enterprises")
async def list_enterprises(request: Request, staff: Reader, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """A page of the enterprises in sight."""
    limit, filters = capped(limit), {"staff": [staff.prefix, staff.enterprise]}
    after: Sequence[str | None] = place_of(cursor, filters, 1) or [None]
    async with sight(request, staff) as db:
        rows = await db.fetch(store.LIST_ENTERPRISES, staff.prefix, staff.enterprise, after[0], limit + 1)
    kept, following = page(rows, limit, ("uscc",), filters)
    return {"items": [dict(row) for row in kept], "next": following}


@router.get("/points")
async def list_points(
    request: Request,
    staff: Reader,
    enterprise: Annotated[str | None, Query(max_length=18)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """A page of the points of enterprises in sight."""
    limit, filters = capped(limit), {"staff": [staff.prefix, staff.enterprise], "enterprise": enterprise}
    after: Sequence[str | None] = place_of(cursor, filters, 2) or [None, None]
    async with sight(request, staff) as db:
        rows = await db.fetch(store.LIST_POINTS, staff.prefix, staff.enterprise, enterprise, *after, limit + 1)
    kept, following = page(rows, limit, ("uscc", "point"), filters)
    return {"items": [dict(row) for row in kept], "next": following}


@router.get("/sources")
async def list_sources(request: Request, staff: Reader, limit: Limit = 500) -> dict[str, Any]:
    """When each source in sight was last heard."""
    async with sight(request, staff) as db:
        rows = await db.fetch(store.LIST_SOURCES, staff.prefix, staff.enterprise, capped(limit))
    return {"items": [dict(row) for row in rows], "next": None}


@router.get("/records")
async def list_records(
    request: Request,
    _staff: TraceStaff,
    source: Pushed,
    pushed: Annotated[Pushed, Query(alias="id")],
    since: WrittenMoment,
    until: WrittenMoment | None = None,
) -> dict[str, Any]:
    """The records of a pushed event that the broker stamped between two moments, among so many; for `fengsui trace`."""
    kafka = request.app.state.service.settings.kafka
    try:
        found = await records.search(kafka, source, pushed, since, until)
    except (KafkaError, OSError) as error:
        raise Problem(503, "bus_unreachable", told(error)) from error
    return {"items": found.found, "next": None, "searched": found.searched, "whole": found.whole}


def add(app: FastAPI) -> None:
    """Puts the routes on the service's application."""
    app.include_router(router)
