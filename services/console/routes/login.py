"""登录: in by name and password, out by one button; the keys by which the services believe our tokens."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.console import store
from services.console.domain.sessions import way_back
from services.console.entrance import NotHeard, NotProved, enter, prove
from services.console.forms import fields
from services.console.guard import COOKIE
from services.console.pages import page
from services.console.sessions import key_of
from services.console.visitors import visitor_of
from shared import audit
from shared.access import public
from shared.service import Service
from shared.sight import whole

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])


@router.get("/login")
async def show_login(request: Request) -> Response:
    """The form; whoever is logged in goes on."""
    asked = request.query_params.get("next")
    if await visitor_of(request) is not None:
        return RedirectResponse(way_back(asked), 303)
    return form(request, asked)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Leads to the page that was asked for, or says the one thing that went wrong."""
    given = await fields(request)
    name, asked = given.get("name", "").strip(), given.get("next")
    try:
        entry = await prove(request, name, given.get("password", ""))
    except NotHeard as wait:
        return form(request, asked, 429, name=name, wait=wait.seconds)
    except NotProved:
        return form(request, asked, 401, name=name, wrong=True)
    return await enter(request, entry.account, entry.version, asked, "password")


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Ends this session, wherever its streams are."""
    service: Service = request.app.state.service
    visitor = await visitor_of(request)
    if brought := request.cookies.get(COOKIE):
        async with whole(service.ask, readonly=False) as db:
            await db.execute(store.END_SESSION, key_of(brought))
            if visitor is not None:
                await audit.record(db, visitor.staff, "logout", f"account/{visitor.staff.name}")
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response


@router.get("/.well-known/jwks.json")
async def keys(request: Request) -> dict[str, Any]:
    """The public keys that the tokens of this console are verified by."""
    published: dict[str, Any] = request.app.state.signer.published()
    return published


def form(
    request: Request,
    asked: str | None,
    status: int = 200,
    *,
    name: str = "",
    wrong: bool = False,
    refused: bool = False,
    away: bool = False,
    wait: int = 0,
) -> Response:
    """The login page, with what went wrong: the password, the provider's answer, the provider's silence, or haste."""
    return page(
        request,
        None,
        "login.html",
        status,
        {"Retry-After": str(wait)} if wait else None,
        next=way_back(asked),
        typed=name[:64],
        wrong=wrong,
        refused=refused,
        away=away,
        wait=wait,
        provider=request.app.state.provider is not None,
    )


def add(app: FastAPI) -> None:
    """Puts the routes on the console."""
    app.include_router(router)
