"""我的账号: one's password, everywhere one is logged in, and how one likes one's pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.console import store
from services.console.domain.accounts import password_fault
from services.console.domain.sessions import way_back
from services.console.entrance import NotHeard, NotProved, encrypted, prove
from services.console.forms import fields
from services.console.pages import page
from services.console.passwords import Passwords
from services.console.sessions import Sessions
from services.console.visitors import CHOICES, Stranger, Visitor, visitor_with
from shared import audit
from shared.problems import Problem
from shared.service import Service
from shared.sight import whole

router = APIRouter(include_in_schema=False, prefix="/account")
Anybody = Annotated[Visitor, Depends(visitor_with("read"))]
YEAR_S = 365 * 24 * 3600


@router.get("")
async def show(request: Request, visitor: Anybody) -> Response:
    """The page."""
    return await _page(request, visitor, done=request.query_params.get("done", ""))


@router.post("/password")
async def change_password(request: Request, visitor: Anybody) -> Response:
    """A new password; every other session ends."""
    given = await fields(request)
    service: Service = request.app.state.service
    passwords: Passwords = request.app.state.passwords
    new, name = given.get("new", ""), visitor.staff.name
    if given.get("again") != new:
        return await _page(request, visitor, 422, fault="differ")
    if password_fault(new):
        return await _page(request, visitor, 422, fault="length")
    try:
        proved = await prove(request, name, given.get("current", ""))
    except NotHeard as wait:
        return await _page(request, visitor, 429, fault="wait", wait=wait.seconds)
    except NotProved:
        return await _page(request, visitor, 422, fault="wrong")
    hashed = await passwords.hash(new)
    async with whole(service.ask, readonly=False) as db:
        if await db.fetchval(store.CHANGE_PASSWORD, name, hashed, proved.version) is None:
            raise Stranger  # reset, changed or disabled meanwhile: this session has ended with it
        await db.execute(store.KEEP_SESSION, visitor.session)
        await db.execute(store.END_OTHERS, name, visitor.session)
        await audit.record(db, visitor.staff, "password_changed", f"account/{name}")
    return RedirectResponse("/account?done=password", 303)


@router.post("/sessions/end")
async def end_sessions(request: Request, visitor: Anybody) -> Response:
    """Ends one session of one's own by its number, or without a number all others."""
    number = (await fields(request)).get("number", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Problem(422, "invalid", "a session has a number")
    service: Service = request.app.state.service
    name = visitor.staff.name
    async with whole(service.ask, readonly=False) as db:
        if number:
            await db.execute(store.END_NUMBERED, name, int(number))
        else:
            await db.execute(store.END_OTHERS, name, visitor.session)
        await audit.record(db, visitor.staff, "sessions_ended", f"account/{name}", session=number or "all others")
    return RedirectResponse("/account?done=sessions", 303)


@router.post("/appearance")
async def choose(request: Request, _visitor: Anybody) -> Response:
    """Language and theme, kept by the browser."""
    given = await fields(request)
    response = RedirectResponse(way_back(given.get("next")), 303)
    for name, known in CHOICES.items():
        if given.get(name) in known:
            response.set_cookie(
                f"fengsui_{name}",
                given[name],
                max_age=YEAR_S,
                path="/",
                httponly=True,
                samesite="lax",
                secure=encrypted(request),
            )
    return response


async def _page(
    request: Request, visitor: Visitor, status: int = 200, *, fault: str = "", wait: int = 0, done: str = ""
) -> Response:
    service: Service = request.app.state.service
    sessions: Sessions = request.app.state.sessions
    async with whole(service.ask) as db:
        rows = await db.fetch(store.SESSIONS_OF, visitor.staff.name)
    known = [(store.session_of(row), row["now"]) for row in rows]
    mine = [session for session, now in known if session.holds(now, sessions.limits)]
    return page(
        request,
        visitor,
        "account.html",
        status,
        {"Retry-After": str(wait)} if wait else None,
        sessions=mine,
        fault=fault,
        wait=wait,
        done=done,
    )


def add(app: FastAPI) -> None:
    """Puts the routes on the console."""
    app.include_router(router)
