"""值班: who is on duty now and next by region, where nobody will be, and the lists of contacts and rosters."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from services.console.domain.duties import order, summary, unmanned
from services.console.fragments import Fragments
from services.console.pages import page
from services.console.parts import part, parts
from services.console.routes.board import regions_below
from services.console.visitors import Visitor, visitor_with

router = APIRouter(prefix="/duty", include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]


@router.get("")
async def show_duty(request: Request, visitor: Viewer) -> Response:
    """Now, next, and the gaps of a week ahead."""
    fragments: Fragments = request.app.state.fragments
    return await fragments.once(request, visitor, lambda: _duty(request, visitor))


async def _duty(request: Request, visitor: Visitor) -> Response:
    asked = request.query_params.get("region") or visitor.staff.region
    found = await part(
        request.app.state.services.get(visitor, "notify", "/v1/on-duty", {"region": asked, "within": True})
    )
    teams = found.value["regions"] if found.value else []
    only = request.query_params.get("only", "")
    return page(
        request,
        visitor,
        "duty.html",
        chosen="now",
        found=found,
        at=found.value["at"] if found.value else None,
        until=found.value["until"] if found.value else None,
        teams=order(team for team in teams if (team["now"] or team["next"]) and (not only or team["gaps"])),
        never=[team for team in teams if not team["now"] and not team["next"]],
        unmanned=unmanned,
        counts=summary(teams, found.value["at"]) if found.value else None,
        only=only,
        choices=regions_below(visitor),
    )


@router.get("/contacts")
async def list_contacts(request: Request, visitor: Viewer) -> Response:
    """A page of the contacts in sight."""
    query = request.query_params
    found = await part(
        request.app.state.services.get(
            visitor,
            "notify",
            "/v1/contacts",
            {"region": query.get("region"), "cursor": query.get("cursor"), "limit": 50},
        )
    )
    return page(request, visitor, "contacts.html", chosen="contacts", found=found, choices=regions_below(visitor))


@router.get("/rosters")
async def list_rosters(request: Request, visitor: Viewer) -> Response:
    """A page of the shifts in sight that have not ended."""
    query, services = request.query_params, request.app.state.services
    (now,) = await parts(services.get(visitor, "notify", "/v1/on-duty"))
    found = await part(
        services.get(
            visitor,
            "notify",
            "/v1/rosters",
            {
                "region": query.get("region"),
                "contact": query.get("contact", "").strip(),
                "since": query.get("since") or (now.value["at"] if now.value else None),
                "cursor": query.get("cursor"),
                "limit": 50,
            },
        )
    )
    return page(
        request,
        visitor,
        "rosters.html",
        chosen="rosters",
        found=found,
        since=query.get("since") or (now.value["at"] if now.value else None),
        now=now.value["at"] if now.value else "",
        choices=regions_below(visitor),
    )


def add(app: FastAPI) -> None:
    """Puts the pages on the console."""
    app.include_router(router)
