"""The way in: a password is proved, or a guesser waits; and whoever is let in gets a session of their own."""

from math import ceil
from typing import Final

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.console import metrics, store
from services.console.domain.accounts import PASSWORD_LENGTH, Account, is_name
from services.console.domain.sessions import way_back
from services.console.guard import COOKIE, own_origin
from services.console.passwords import Passwords
from services.console.sessions import Sessions, key_of
from services.console.store import Entry
from services.console.visitors import address_of
from shared import audit
from shared.access import Staff
from shared.audit import Outsider
from shared.service import Service
from shared.sight import whole

STRANGER: Final = "stranger"
"""The role, on the trail, of whoever proved nothing."""


class NotHeard(Exception):
    """After too many failures the next attempt is not looked at, right or wrong, before so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class NotProved(Exception):
    """Name and password do not belong together, or the account may not act; which of these is nobody's business."""


async def prove(request: Request, name: str, password: str) -> Entry:
    """The account that name and password belong to; raises NotHeard or NotProved, after the same work."""
    service: Service = request.app.state.service
    passwords: Passwords = request.app.state.passwords
    address, known = address_of(request), name if is_name(name) else ""
    async with whole(service.ask, readonly=False) as db:
        failures, now = await store.failures(db, known, address)
        wait = failures.wait(now)
        if wait:
            metrics.LOGINS.labels(metrics.NOT_HEARD).inc()
            raise NotHeard(ceil(wait.total_seconds()))
        failed = failures.failed(now)
        await db.execute(store.SET_FAILURES, known, address, failed.count, failed.last_at)
        entry = await store.entry(db, known)
    fits = await passwords.fits(entry.hash if entry else None, password[: PASSWORD_LENGTH[1] + 1])
    async with whole(service.ask, readonly=False) as db:
        if entry is None or not fits or entry.disabled:
            await db.execute(store.FAILED_NOW, known, address)
            if entry is not None:  # invented names are without end, and the trail is for good
                await audit.record(db, Outsider(known, STRANGER), "login_failed", f"account/{known}", address=address)
        else:
            await db.execute(store.FORGIVE, known, address)
    if entry is None or not fits or entry.disabled:
        metrics.LOGINS.labels(metrics.REFUSED).inc()
        raise NotProved
    return entry


async def enter(request: Request, account: Account, version: int, asked: str | None, way: str) -> Response:
    """Begins a session under a new id, ends the one that the browser brought, and leads on."""
    service: Service = request.app.state.service
    sessions: Sessions = request.app.state.sessions
    staff = Staff(account.name, account.role, account.region, account.enterprise)
    address = address_of(request)
    async with whole(service.ask, readonly=False) as db:
        if brought := request.cookies.get(COOKIE):
            await db.execute(store.END_SESSION, key_of(brought))
        id = await sessions.begin(db, account, version, address, request.headers.get("user-agent", ""))
        await audit.record(db, staff, "login", f"account/{account.name}", address=address, way=way)
    metrics.LOGINS.labels(metrics.ACCEPTED).inc()
    response = RedirectResponse(way_back(asked), 303)
    response.set_cookie(COOKIE, id, path="/", httponly=True, samesite="lax", secure=encrypted(request))
    return response


def encrypted(request: Request) -> bool:
    """Whether people reach us by https."""
    settings = request.app.state.service.settings
    return own_origin(request.scope, settings.console_origin).startswith("https:")
