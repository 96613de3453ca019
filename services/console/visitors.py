"""Who looks at a page: the account of a session that holds, and what its role may do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.console.domain.throttle import neighbourhood
from services.console.guard import COOKIE
from services.console.sessions import Sessions
from services.console.signing import Signer
from shared.access import RIGHTS, Staff, demand

LIVE: Final = "fengsui-live"
"""A request's header: the page asks again by itself, so that nobody need be there."""
CHOICES: Final = {"locale": ("zh", "en"), "theme": ("auto", "light", "dark")}


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member of staff in a session, with how they like their pages."""

    staff: Staff
    session: bytes
    """Hash of the session's id, as the table knows it."""
    locale: str
    theme: str
    token: str = field(repr=False)
    """For the services' APIs, minutes long."""


class Stranger(Exception):
    """Nobody is logged in, or not any more."""


async def visitor_of(request: Request) -> Visitor | None:
    """Who asks, if their session holds."""
    id = request.cookies.get(COOKIE)
    if not id:
        return None
    sessions: Sessions = request.app.state.sessions
    session = await sessions.of(id, used=LIVE not in request.headers)
    if session is None:
        return None
    account = session.account
    staff = Staff(account.name, account.role, account.region, account.enterprise)
    signer: Signer = request.app.state.signer
    chosen = choices(request)
    return Visitor(staff, session.key, chosen["locale"], chosen["theme"], signer.token(session.key, staff))


def visitor_with(right: str) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency: the visitor, if the role has the right; a stranger is shown the login, others 403."""
    assert right in RIGHTS, right

    async def visiting(request: Request) -> Visitor:
        visitor = await visitor_of(request)
        if visitor is None:
            raise Stranger
        demand(visitor.staff, right)
        return visitor

    visiting.right = right  # type: ignore[attr-defined]
    return visiting


async def show_login(request: Request, _error: Exception) -> Response:
    """FastAPI's handler for Stranger: the login, which leads back here."""
    if request.headers.get("accept") == "text/event-stream":
        return Response(status_code=401)  # a browser would follow to the login, and take that for a broken stream
    part = "hx-request" in request.headers
    shown = urlsplit(request.headers.get("hx-current-url", "") if part else str(request.url))
    place = urlunsplit(("", "", shown.path, shown.query, "")) if part or request.method == "GET" else ""
    login = f"/login?next={quote(place, safe='')}" if place not in ("", "/") else "/login"
    return Response(status_code=401, headers={"HX-Redirect": login}) if part else RedirectResponse(login, 303)


def choices(request: Request) -> dict[str, str]:
    """Locale and theme as the cookies say, or the first of each."""
    given = {name: request.cookies.get(f"fengsui_{name}", "") for name in CHOICES}
    return {name: given[name] if given[name] in known else known[0] for name, known in CHOICES.items()}


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the proxies that are believed say."""
    return neighbourhood(request.client.host if request.client else "")
