"""账号管理: who has an account, as what and where; each change is on the trail and ends the account's sessions."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.console import store
from services.console.domain.accounts import Unfit, account_of, change_fault, password_fault
from services.console.forms import fields
from services.console.pages import page
from services.console.passwords import Passwords
from services.console.routes.operations import frame
from services.console.visitors import Visitor, visitor_with
from shared import audit
from shared.codes import regions
from shared.problems import Problem
from shared.sight import sight
from shared.vocabulary import Role

router = APIRouter(include_in_schema=False, prefix="/operations/accounts")
Admin = Annotated[Visitor, Depends(visitor_with("accounts"))]


@router.get("")
async def show(request: Request, visitor: Admin) -> Response:
    """The list, and a form for a new account."""
    return await _page(request, visitor, done=request.query_params.get("done", ""))


@router.post("")
async def create(request: Request, visitor: Admin) -> Response:
    """A new account."""
    given = await fields(request)
    passwords: Passwords = request.app.state.passwords
    name, password = given.get("name", "").strip(), given.get("password", "")
    try:
        account = account_of(name, given.get("role", ""), given.get("region") or None, given.get("enterprise") or None)
    except Unfit as unfit:
        return await _page(request, visitor, 422, fault="unfit", why=str(unfit), typed=given)
    if password_fault(password):
        return await _page(request, visitor, 422, fault="length", typed=given)
    hashed = await passwords.hash(password)
    async with sight(request, visitor.staff) as db:
        made = await store.add(db, account, hashed)
        if made:
            said = {"as_role": account.role, "region": account.region, "enterprise": account.enterprise}
            await audit.record(db, visitor.staff, "account_created", f"account/{name}", **said)
    return _done("created") if made else await _page(request, visitor, 409, fault="taken", typed=given)


@router.post("/{name}")
async def change(request: Request, name: str, visitor: Admin) -> Response:
    """Another role, region or enterprise; or the account ends, or stands again."""
    given = await fields(request)
    disabled = given.get("disabled") == "yes"
    try:
        became = account_of(name, given.get("role", ""), given.get("region") or None, given.get("enterprise") or None)
    except Unfit as unfit:
        return await _page(request, visitor, 422, fault="unfit", why=str(unfit))
    async with sight(request, visitor.staff) as db:
        was, was_disabled, admins = await store.lock(db, name)
        if was is None:
            raise Problem(404, "not_found", "no such account")
        fault = change_fault(name, became, disabled=disabled, by=visitor.staff.name, admins=frozenset(admins))
        if not fault and (became, disabled) != (was, was_disabled):
            await store.change(db, became, disabled=disabled)
            said = {"as_role": became.role, "region": became.region, "enterprise": became.enterprise}
            before = {"as_role": was.role, "region": was.region, "enterprise": was.enterprise, "disabled": was_disabled}
            act = "account_disabled" if disabled and not was_disabled else "account_changed"
            await audit.record(db, visitor.staff, act, f"account/{name}", **said, disabled=disabled, before=before)
    return await _page(request, visitor, 409, fault=fault) if fault else _done("changed")


@router.post("/{name}/password")
async def reset_password(request: Request, name: str, visitor: Admin) -> Response:
    """A new password for somebody who forgot theirs; all their sessions end."""
    given = await fields(request)
    passwords: Passwords = request.app.state.passwords
    if password_fault(given.get("password", "")):
        return await _page(request, visitor, 422, fault="length")
    hashed = await passwords.hash(given["password"])
    async with sight(request, visitor.staff) as db:
        if (await store.lock(db, name))[0] is None:
            raise Problem(404, "not_found", "no such account")
        await db.execute(store.SET_PASSWORD, name, hashed)
        await audit.record(db, visitor.staff, "password_reset", f"account/{name}")
    return _done("password")


async def _page(
    request: Request,
    visitor: Visitor,
    status: int = 200,
    *,
    fault: str = "",
    why: str = "",
    done: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    async with sight(request, visitor.staff) as db:
        rows = await db.fetch(store.LIST_ACCOUNTS)
    return page(
        request,
        visitor,
        "accounts.html",
        status,
        **frame(visitor, "accounts"),
        accounts=rows,
        roles=list(Role),
        regions=list(regions()),
        fault=fault,
        why=why,
        done=done,
        typed={name: value for name, value in (typed or {}).items() if name != "password"},
    )


def _done(what: str) -> Response:
    return RedirectResponse(f"/operations/accounts?done={what}", 303)


def add(app: FastAPI) -> None:
    """Puts the routes on the console."""
    app.include_router(router)
