"""运维, 死信: the records that no service could take in, seen as they are, sent again or given up."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from services.console.asking import Services
from services.console.forms import fields
from services.console.pages import page, text
from services.console.parts import parts
from services.console.routes.operations import ASKED, back, change, frame, known
from services.console.visitors import Visitor, visitor_with

router = APIRouter(prefix="/operations/dead-letters", include_in_schema=False)
Operator = Annotated[Visitor, Depends(visitor_with("dead_letters"))]
STATES: Final = ("waiting", "replayed", "discarded")
EDITABLE: Final = 16_000  # characters that a form carries back whole, whatever their script


@router.get("")
async def list_letters(request: Request, visitor: Operator) -> Response:
    """Of one service page by page, or of all of them the first of each."""
    services, query = request.app.state.services, request.query_params
    state = query.get("state", "waiting")
    chosen = [query["service"]] if query.get("service") in ASKED else list(ASKED)
    alone = len(chosen) == 1
    params = {
        "state": state if state in STATES else None,
        "limit": 50 if alone else 20,
        "cursor": query.get("cursor") if alone else None,
    }
    found = await parts(*(services.get(visitor, name, "/v1/dead-letters", params) for name in chosen))
    return page(
        request,
        visitor,
        "letters.html",
        **frame(visitor, "dead_letters"),
        found=list(zip(chosen, found, strict=True)),
        letters=sorted((letter for each in found for letter in each.items), key=lambda letter: letter["at"]),
        services=ASKED,
        states=STATES,
        state=state,
        alone=alone,
        said=query.get("said", ""),
    )


@router.get("/{service}/{letter}")
async def show_letter(request: Request, service: str, letter: int, visitor: Operator) -> Response:
    """One, with what it held."""
    return await _shown(request, visitor, known(service), letter)


@router.post("/{service}/{letter}/replay")
async def replay(request: Request, service: str, letter: int, visitor: Operator) -> Response:
    """Sends it again, as it is or as it was corrected."""
    given = await fields(request)
    services: Services = request.app.state.services
    was = await services.get(visitor, known(service), f"/v1/dead-letters/{letter}")
    written = _lines(given.get("payload", ""))
    body: dict[str, Any] = {"note": given.get("note", "").strip() or None}
    if "payload" in given and written != _lines(was["payload"] or ""):
        body["payload"] = written
    answer, fault = await change(request, visitor, service, f"/v1/dead-letters/{letter}/replay", body)
    if answer is None:
        return await _shown(request, visitor, service, letter, fault, given)
    return back(f"/operations/dead-letters?service={service}", "replayed")


@router.post("/{service}/{letter}/discard")
async def discard(request: Request, service: str, letter: int, visitor: Operator) -> Response:
    """Gives it up, with the reason."""
    given = await fields(request)
    note = given.get("note", "").strip()
    if not note:
        return await _shown(request, visitor, known(service), letter, text(visitor, "Say why it is given up."), given)
    answer, fault = await change(request, visitor, known(service), f"/v1/dead-letters/{letter}/discard", {"note": note})
    if answer is None:
        return await _shown(request, visitor, service, letter, fault, given)
    return back(f"/operations/dead-letters?service={service}", "discarded")


async def _shown(
    request: Request,
    visitor: Visitor,
    service: str,
    letter: int,
    fault: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    services: Services = request.app.state.services
    found = await services.get(visitor, service, f"/v1/dead-letters/{letter}")
    payload = found["payload"]
    return page(
        request,
        visitor,
        "letter.html",
        409 if fault else 200,
        **frame(visitor, "dead_letters"),
        service=service,
        letter=found,
        editable=payload is not None and len(payload) <= EDITABLE and "\N{REPLACEMENT CHARACTER}" not in payload,
        whole=payload is not None and len(payload.encode()) >= found["payload_size"],
        fault=fault,
        typed=typed or {},
    )


def _lines(written: str) -> str:
    """A text with the line ends that a form changes."""
    return written.replace("\r\n", "\n").replace("\r", "\n")


def add(app: FastAPI) -> None:
    """Puts the pages on the console."""
    app.include_router(router)
