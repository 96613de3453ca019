"""运维, 审计: who changed what, from every service's own chain."""

from datetime import date, datetime
from datetime import time as clock
from operator import itemgetter
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from services.console.pages import SHANGHAI, page
from services.console.parts import parts
from services.console.routes.operations import ASKED, frame
from services.console.visitors import Visitor, visitor_with
from shared.problems import Problem

router = APIRouter(prefix="/operations/audit", include_in_schema=False)
Auditor = Annotated[Visitor, Depends(visitor_with("audit"))]
CHAINS: Final = ("console", *ASKED)


@router.get("")
async def show_trail(request: Request, visitor: Auditor) -> Response:
    """Of one service page by page, or of all of them the newest of each."""
    services, query = request.app.state.services, request.query_params
    chosen = [query["service"]] if query.get("service") in CHAINS else list(CHAINS)
    alone = len(chosen) == 1
    params = {
        "actor": query.get("actor", "").strip(),
        "action": query.get("action", "").strip(),
        "since": _begin(query.get("since", "")),
        "limit": 50 if alone else 20,
        "cursor": query.get("cursor") if alone else None,
    }
    found = await parts(*(services.get(visitor, name, "/v1/audit", params) for name in chosen))
    return page(
        request,
        visitor,
        "trail.html",
        **frame(visitor, "audit"),
        found=list(zip(chosen, found, strict=True)),
        rows=sorted(map(_written, (row for each in found for row in each.items)), key=itemgetter("at"), reverse=True),
        services=CHAINS,
        alone=alone,
    )


def _written(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its detail as text."""
    return {**row, "written": orjson.dumps(row["detail"], option=orjson.OPT_INDENT_2).decode()}


def _begin(day: str) -> str | None:
    """The first moment of a day in Asia/Shanghai."""
    try:
        return datetime.combine(date.fromisoformat(day), clock(), SHANGHAI).isoformat() if day else None
    except ValueError as error:
        raise Problem(422, "invalid", str(error)) from error


def add(app: FastAPI) -> None:
    """Puts the page on the console."""
    app.include_router(router)
