"""值守: what is in alarm now and waits for an answer, the gravest on top, and the cases that wait for a person."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.console import words
from services.console.asking import Answer, Away, Services
from services.console.fragments import Fragments
from services.console.pages import page, text
from services.console.parts import part, parts
from services.console.visitors import Visitor, visitor_with
from shared.codes import regions

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]
OnDuty = Annotated[Visitor, Depends(visitor_with("acknowledge"))]

ROWS: Final = 50
WAITING: Final = 6
FILTERS: Final = ("level", "region", "industry", "enterprise", "text", "cursor")
GAPS_S: Final = 10.0
CALLED_S: Final = 3.0
"""An alarm is shown once hazards has its case, before notify calls anybody: so long a tap waits for the call."""


@router.get("/", include_in_schema=False)
async def begin(_visitor: Viewer) -> Response:
    """The day begins at the desk."""
    return RedirectResponse("/board", 303)


@router.get("/board")
async def show_board(request: Request, visitor: Viewer) -> Response:
    """The board with its filters, or what of it is asked again."""
    fragments: Fragments = request.app.state.fragments
    return await fragments.once(request, visitor, lambda: _board(request, visitor))


async def _board(request: Request, visitor: Visitor) -> Response:
    services: Services = request.app.state.services
    asked = {name: request.query_params.get(name) for name in FILTERS}
    unanswered = {"acknowledged": False} if request.query_params.get("unanswered") else {}

    def cases(**filters: Any) -> Any:
        return services.get(visitor, "hazards", "/v1/cases", {**filters, "region": asked["region"], "limit": WAITING})

    counts, alarms, reported, overdue = await parts(
        services.get(visitor, "hazards", "/v1/board"),
        services.get(
            visitor,
            "hazards",
            "/v1/alarms",
            {**asked, **unanswered, "state": "raised", "order": "gravest", "limit": ROWS},
        ),
        cases(state="reported"),
        cases(overdue=True),
    )
    return page(
        request,
        visitor,
        "board.html",
        asked=asked,
        choices=regions_below(visitor),
        counts=counts.value,
        alarms=alarms,
        reported=reported,
        overdue=overdue,
    )


@router.post("/board/{case}/acknowledge")
async def acknowledge(request: Request, case: UUID, visitor: OnDuty) -> Response:
    """One tap answers every call of the case; a second one changes nothing."""
    services: Services = request.app.state.services
    fragments: Fragments = request.app.state.fragments
    refusal, status = "", 200
    try:
        answer = await _answered(services, visitor, case)
        if not answer.done:
            code = "not_called" if answer.code == "not_found" else answer.code
            refusal, status = refused(visitor, code), answer.status
    except Away as away:
        refusal, status = silent(visitor, away), 502
    fragments.forget()
    if "hx-request" in request.headers:
        at = None if refusal else answer.json["acknowledged_at"]
        return page(request, visitor, "answered.html", problem=refusal, at=at)
    if refusal:
        heading = text(visitor, "Not taken")
        return page(request, visitor, "error.html", status, heading=heading, sentence=refusal)
    return RedirectResponse("/board", 303)


async def _answered(services: Services, visitor: Visitor, case: UUID) -> Answer:
    patience = time.monotonic() + CALLED_S
    while True:
        answer = await services.send(visitor, "POST", "notify", f"/v1/cases/{case}/acknowledge")
        if answer.code != "not_found" or time.monotonic() > patience:
            return answer
        await asyncio.sleep(0.25)


@router.get("/board/gaps")
async def show_gaps(request: Request, visitor: Viewer) -> Response:
    """The banner that says where nobody is on duty now; empty where somebody is everywhere."""
    fragments: Fragments = request.app.state.fragments

    async def make() -> Response:
        if visitor.staff.enterprise is not None:
            return page(request, visitor, "gaps.html", gaps=[])
        found = await part(request.app.state.services.get(visitor, "notify", "/v1/on-duty", {"within": True}))
        return page(request, visitor, "gaps.html", gaps=open_gaps(found.value, visitor))

    return await fragments.once(request, visitor, make, GAPS_S)


def open_gaps(duty: Any, visitor: Visitor) -> list[str]:
    """The regions in sight where a call would find nobody now."""
    if duty is None:
        return []
    now = datetime.fromisoformat(duty["at"]).astimezone(UTC)
    return [
        each["region"]
        for each in duty["regions"]
        if each["region"].startswith(visitor.staff.prefix)
        and any(datetime.fromisoformat(gap["start"]).astimezone(UTC) <= now for gap in each["gaps"])
    ]


def regions_below(visitor: Visitor) -> list[str]:
    """The regions to choose from: all in sight but one's own."""
    own = visitor.staff
    return [code for code in regions() if code.startswith(own.prefix) and code != own.region]


def refused(visitor: Visitor, code: str) -> str:
    """Why a service took no change, for a person."""
    known = words.WORDS["refusal"].get(code)
    return text(visitor, known) if known else text(visitor, "Not taken: %(code)s", code=code)


def silent(visitor: Visitor, away: Away) -> str:
    """That a service gave no answer to a change, and what that means."""
    name = text(visitor, words.english("service", away.service))
    if away.unknown:
        return text(
            visitor, "%(service)s gave no answer: whether the change was made is unknown. Look before you repeat it.",
            service=name,
        )  # fmt: skip
    return text(visitor, "%(service)s cannot be reached: nothing was changed. Try again shortly.", service=name)


def add(app: FastAPI) -> None:
    """Puts the board on the console."""
    app.include_router(router)
