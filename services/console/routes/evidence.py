"""整改佐证: files of a case, in by whoever rectifies it, out as attachments to whoever sees the case."""

import asyncio
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, JSONResponse, Response

from services.console import store
from services.console.asking import Services
from services.console.domain.evidence import (
    LARGEST,
    MOST_PER_CASE,
    Evidence,
    Refused,
    checked_name,
    checked_type,
    evidence_id,
)
from services.console.files import Files
from services.console.guard import own_origin
from services.console.visitors import Visitor, visitor_with
from shared import audit
from shared.database import Connection
from shared.problems import Problem
from shared.sight import sight

router = APIRouter(include_in_schema=False)
Submitter = Annotated[Visitor, Depends(visitor_with("submit"))]
Reader = Annotated[Visitor, Depends(visitor_with("read"))]
_STATUS = {"too_large": 413, "unsupported_type": 415}


@router.post("/cases/{case}/evidence", status_code=201)
async def take(request: Request, case: UUID, visitor: Submitter) -> Response:
    """Keeps a file for a case in sight; the answer has what `submit` asks for: url and sha256."""
    services: Services = request.app.state.services
    found = await services.get(visitor, "hazards", f"/v1/cases/{case}")
    name, content = await _file(request)
    try:
        name = checked_name(name)
        media = await asyncio.to_thread(checked_type, name, content)
    except Refused as refused:
        raise Problem(_STATUS.get(refused.code, 422), refused.code, str(refused)) from refused
    digest = await asyncio.to_thread(lambda: sha256(content).digest())
    staff = visitor.staff
    enterprise = _code(found["enterprise"])
    evidence = Evidence(
        evidence_id(case, digest), case, found["region"], enterprise, name, media, digest, len(content), staff.name
    )
    files: Files = request.app.state.files
    async with sight(request, staff) as db:
        await _room(db, case)  # before the disk is written, for what is refused would stay there
    if not await asyncio.to_thread(files.room):
        raise Problem(503, "no_room", "there is no room for files now", headers={"Retry-After": "60"})
    await asyncio.to_thread(files.keep, digest, content)
    async with sight(request, staff) as db:
        await db.execute(store.HOLD_EVIDENCE, str(case))
        await _room(db, case)
        new = await store.keep(db, evidence)
        if new:
            await audit.record(
                db,
                staff,
                "evidence_uploaded",
                f"evidence/{evidence.id}",
                region=evidence.region,
                enterprise=evidence.enterprise,
                case=str(case),
                name=name,
                sha256=digest.hex(),
                size=len(content),
            )
        else:
            kept = await store.evidence(db, evidence.id)
            evidence = kept or evidence
    return JSONResponse(_shown(request, evidence), 201 if new else 200)


@router.get("/evidence/{id}")
async def give(request: Request, id: UUID, visitor: Reader) -> Response:
    """The file as it was given, to be saved and not shown."""
    async with sight(request, visitor.staff) as db:
        evidence = await store.evidence(db, id)
    if evidence is None:
        raise Problem(404, "not_found", "no such file")
    files: Files = request.app.state.files
    place = files.path(evidence.sha256)
    if not place.is_file():
        raise Problem(503, "file_missing", "the file cannot be read now")
    headers = {
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return FileResponse(place, headers=headers, media_type=evidence.media_type, filename=evidence.name)


async def _room(db: Connection, case: UUID) -> None:
    if await db.fetchval(store.COUNT_EVIDENCE, case) >= MOST_PER_CASE:
        raise Problem(409, "too_many_files", f"a case has at most {MOST_PER_CASE} files")


async def _file(request: Request) -> tuple[str, bytes]:
    """The one file of the form, read only after it is known who sends it."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LARGEST + 64 * 1024:
        raise Problem(413, "too_large", f"a file has at most {LARGEST // 1024 // 1024} MiB")
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Problem(415, "unsupported_type", "a form with one file is wanted")
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or file.filename is None:
            raise Problem(422, "invalid", "a file is wanted", pointer="/file")
        return file.filename, await file.read(LARGEST + 1)


def _code(enterprise: Any) -> str:
    return str(enterprise["uscc"] if isinstance(enterprise, dict) else enterprise)


def _shown(request: Request, evidence: Evidence) -> dict[str, Any]:
    origin = own_origin(request.scope, request.app.state.service.settings.console_origin)
    return {
        "id": str(evidence.id),
        "url": f"{origin}/evidence/{evidence.id}",
        "sha256": evidence.sha256.hex(),
        "name": evidence.name,
        "media_type": evidence.media_type,
        "size": evidence.size,
    }


def add(app: FastAPI) -> None:
    """Puts the routes on the console."""
    app.include_router(router)
