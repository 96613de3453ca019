"""台账: the cases in sight, and of each one its whole way, with the steps that this visitor may take."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from services.console import words
from services.console.asking import Away, Services
from services.console.domain.steps import ACTIONS, body_of
from services.console.forms import fields
from services.console.fragments import Fragments
from services.console.pages import page, text
from services.console.parts import part, parts
from services.console.routes.board import refused, regions_below, silent
from services.console.visitors import Visitor, visitor_with
from shared.access import demand
from shared.problems import Problem
from shared.vocabulary import CaseState

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]
_acting = visitor_with("read")
_acting.actions = ACTIONS  # type: ignore[attr-defined]
Actor = Annotated[Visitor, Depends(_acting)]

ROWS: Final = 50
FILTERS: Final = ("state", "grade", "level", "region", "industry", "enterprise", "overdue", "text", "cursor")
OPEN: Final = [str(state) for state in CaseState if state not in (CaseState.CLOSED, CaseState.VOID)]
SHOWN_HEADERS: Final = ("Content-Type", "Content-Disposition")


@router.get("/cases")
async def list_cases(request: Request, visitor: Viewer) -> Response:
    """A page of the ledger."""
    fragments: Fragments = request.app.state.fragments
    return await fragments.once(request, visitor, lambda: _list(request, visitor))


async def _list(request: Request, visitor: Visitor) -> Response:
    services: Services = request.app.state.services
    asked = {name: request.query_params.get(name) for name in FILTERS}
    states = asked["state"] or (OPEN if request.query_params.get("open") else None)
    found = await part(services.get(visitor, "hazards", "/v1/cases", {**asked, "state": states, "limit": ROWS}))
    return page(request, visitor, "cases.html", asked=asked, choices=regions_below(visitor), found=found)


@router.get("/cases/export")
async def export_cases(
    request: Request, visitor: Viewer, format: Annotated[str, Query(pattern="^(jsonl|csv|xlsx)$")] = "xlsx"
) -> Response:
    """The whole ledger in sight as a file, passed on as it comes."""
    services: Services = request.app.state.services
    answer = services.stream(visitor, "hazards", "/v1/cases/export", {"format": format})
    headers, chunks = await answer.__aenter__()

    async def passed_on() -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await answer.__aexit__(None, None, None)

    return StreamingResponse(passed_on(), headers={name: headers[name] for name in SHOWN_HEADERS if name in headers})


@router.get("/cases/{case}")
async def show_case(
    request: Request, case: UUID, visitor: Viewer, before: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """One case."""
    return await _case(request, visitor, case, before=before)


@router.post("/cases/{case}/{action}")
async def act(request: Request, case: UUID, action: str, visitor: Actor) -> Response:
    """One step; a refusal is said at its form, with what was typed and with the case as it stands now."""
    given = await fields(request)
    body = body_of(action, given)
    if body is None:
        raise Problem(404, "not_found", "no such action")
    demand(visitor.staff, action)
    services: Services = request.app.state.services
    try:
        answer = await services.send(
            visitor,
            "POST",
            "hazards",
            f"/v1/cases/{case}/{action}",
            body,
            {"If-Match": f'"{given.get("version", "")}"'},
        )
    except Away as away:
        return await _case(request, visitor, case, failed=_failed(action, given, silent(visitor, away)))
    fragments: Fragments = request.app.state.fragments
    fragments.forget()
    if not answer.done:
        sentence = refused(visitor, answer.code)
        return await _case(request, visitor, case, answer.status, failed=_failed(action, given, sentence, answer.json))
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/cases/{case}", 303)
    done = text(visitor, "Done: %(action)s.", action=text(visitor, words.english("action", action)))
    return await _case(request, visitor, case, headers={"X-Said": quote(done)}, known=answer.json)


async def _case(
    request: Request,
    visitor: Visitor,
    case: UUID,
    status: int = 200,
    *,
    before: int | None = None,
    known: dict[str, Any] | None = None,
    failed: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    services: Services = request.app.state.services
    shown = known or await services.get(visitor, "hazards", f"/v1/cases/{case}", {"timeline_before": before})
    (told,) = await parts(services.get(visitor, "notify", "/v1/notifications", {"case": case, "limit": 100}))
    return page(
        request,
        visitor,
        "case.html",
        status,
        headers,
        case=shown,
        address=f"/cases/{case}",
        actions=ACTIONS,
        readings=readings_of(shown),
        told=told,
        failed=failed or {},
        before=before,
    )


def _failed(action: str, given: Mapping[str, str], sentence: str, problem: Any = None) -> dict[str, Any]:
    """What a form shows again: why, which fields are to blame, and what was typed."""
    said = problem if isinstance(problem, dict) else {}
    blamed = said.get("pointers") or [said.get("pointer", "")]
    return {
        "action": action,
        "sentence": sentence,
        "fields": [str(pointer).split("/")[1] for pointer in blamed if str(pointer).startswith("/")],
        "given": {name: value for name, value in given.items() if name != "version"},
    }


def readings_of(case: Mapping[str, Any]) -> dict[str, Any] | None:
    """The readings that led to the newest alarm of the case, with its limit; None when none came with it."""
    for step in reversed(case["timeline"]):
        if found := step["detail"].get("readings"):
            return {
                "point": case["point"],
                "level": step["detail"].get("level"),
                "limit": step["detail"].get("limit"),
                "at": step["at"],
                "readings": [[each["time"], each["value"]] for each in found],
            }
    return None


def add(app: FastAPI) -> None:
    """Puts the ledger on the console."""
    app.include_router(router)
