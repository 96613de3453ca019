"""Logging in by the identity provider: there with a state that only this browser has, and back with a code."""

from hashlib import sha256
from hmac import compare_digest
from typing import Final

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.console import metrics, store
from services.console.domain.accounts import is_name
from services.console.domain.sessions import way_back
from services.console.entrance import STRANGER, encrypted, enter
from services.console.guard import own_origin
from services.console.oidc import Disproved, Provider, ProviderAway
from services.console.routes.login import form
from services.console.sessions import SIGN_IN
from services.console.visitors import address_of
from shared import audit, telemetry
from shared.access import public
from shared.audit import Outsider
from shared.problems import Problem
from shared.service import Service
from shared.sight import whole

router = APIRouter(include_in_schema=False, prefix="/login/provider", dependencies=[Depends(public)])
COOKIE: Final = "fengsui_provider"


@router.get("")
async def depart(request: Request) -> Response:
    """To the provider."""
    service: Service = request.app.state.service
    asked = way_back(request.query_params.get("next"))
    try:
        address, journey = await _provider(request).departure(_back(request))
    except ProviderAway as away:
        telemetry.log.warning("provider_away", reason=str(away)[:300])
        return form(request, asked, 503, away=True)
    async with whole(service.ask, readonly=False) as db:
        await db.execute(store.KEEP_SIGN_IN, _key(journey.state), journey.nonce, journey.verifier, asked)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        COOKIE,
        journey.state,
        max_age=int(SIGN_IN.total_seconds()),
        path="/login/provider",
        httponly=True,
        samesite="lax",
        secure=encrypted(request),
    )
    return response


@router.get("/back")
async def arrive(request: Request) -> Response:
    """Back from it: whoever it names and whose account stands is logged in; everybody else hears one text."""
    service: Service = request.app.state.service
    provider = _provider(request)
    given = request.query_params
    state = given.get("state", "")
    if not state or not compare_digest(state.encode(), request.cookies.get(COOKIE, "").encode()):
        return _refusal(request, "no login of this browser's")
    async with whole(service.ask, readonly=False) as db:
        taken = await db.fetchrow(store.TAKE_SIGN_IN, _key(state), SIGN_IN)
    if taken is None:
        return _refusal(request, "too late, or twice")
    try:
        name = await provider.arrival(_back(request), given.get("code", ""), taken["nonce"], taken["verifier"])
    except ProviderAway as away:
        telemetry.log.warning("provider_away", reason=str(away)[:300])
        return form(request, taken["next"], 503, away=True)
    except Disproved as disproved:
        return await _refuse(request, "?", str(disproved), taken["next"])
    async with whole(service.ask) as db:
        entry = await store.entry(db, name) if is_name(name) else None
    if entry is None or entry.disabled:
        return await _refuse(request, name if is_name(name) else "?", "no account in force", taken["next"])
    response = await enter(request, entry.account, entry.version, taken["next"], "provider")
    response.delete_cookie(COOKIE, path="/login/provider")
    return response


async def _refuse(request: Request, name: str, reason: str, asked: str | None = None) -> Response:
    """Of a login that began here: it stands on the trail."""
    service: Service = request.app.state.service
    async with whole(service.ask, readonly=False) as db:
        who = Outsider(name, STRANGER)
        await audit.record(db, who, "login_failed", f"account/{name}", address=address_of(request), way="provider")
    return _refusal(request, reason, asked)


def _refusal(request: Request, reason: str, asked: str | None = None) -> Response:
    """The one text; what anybody could send as often as they like is logged and no more."""
    metrics.LOGINS.labels(metrics.REFUSED).inc()
    telemetry.log.warning("provider_login_refused", reason=reason[:300])
    return form(request, asked, 403, refused=True)


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise Problem(404, "not_found", "no identity provider is set up")
    return provider


def _back(request: Request) -> str:
    return own_origin(request.scope, request.app.state.service.settings.console_origin) + "/login/provider/back"


def _key(state: str) -> bytes:
    return sha256(state.encode()).digest()


def add(app: FastAPI) -> None:
    """Puts the routes on the console."""
    app.include_router(router)
