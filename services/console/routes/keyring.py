"""运维, 密钥: the keys by which enterprises push; a new one is shown once."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from services.console.forms import fields
from services.console.pages import page
from services.console.parts import everything, parts
from services.console.routes.operations import back, change, frame
from services.console.visitors import Visitor, visitor_with

router = APIRouter(prefix="/operations/keys", include_in_schema=False)
KeyKeeper = Annotated[Visitor, Depends(visitor_with("keys"))]
MOST: Final = 200
"""Keys on one page; the filter finds the others."""


@router.get("")
async def list_keys(request: Request, visitor: KeyKeeper) -> Response:
    """All keys, or those of an enterprise."""
    return await _shown(request, visitor, said=request.query_params.get("said", ""))


@router.post("")
async def create_key(request: Request, visitor: KeyKeeper) -> Response:
    """Makes a key, and shows it this once."""
    given = await fields(request)
    wanted = {
        "enterprise": given.get("enterprise", "").strip().upper(),
        "name": given.get("name", "").strip() or "default",
    }
    answer, fault = await change(request, visitor, "ingest", "/v1/keys", wanted)
    if answer is None:
        return await _shown(request, visitor, 409, fault=fault, typed=given)
    return await _shown(request, visitor, 201, made=answer.json)


@router.post("/{prefix}/revoke")
async def revoke_key(request: Request, prefix: str, visitor: KeyKeeper) -> Response:
    """Ends a key at every door."""
    answer, fault = await change(request, visitor, "ingest", f"/v1/keys/{quote(prefix, safe='')}/revoke")
    return back("/operations/keys", "revoked") if answer else await _shown(request, visitor, 409, fault=fault)


async def _shown(
    request: Request,
    visitor: Visitor,
    status: int = 200,
    *,
    fault: str = "",
    said: str = "",
    made: Any = None,
    typed: dict[str, str] | None = None,
) -> Response:
    services, query = request.app.state.services, request.query_params
    wanted, state = query.get("enterprise", "").strip().upper(), query.get("state", "")
    found, registry = await parts(
        services.get(visitor, "ingest", "/v1/keys", {"enterprise": wanted}),
        everything(services, visitor, "ingest", "/v1/enterprises"),
    )
    keys = [key for key in reversed(found.items) if not state or (key["revoked_at"] is None) == (state == "in_force")]
    return page(
        request,
        visitor,
        "keys.html",
        status,
        **frame(visitor, "keys"),
        found=found,
        keys=keys[:MOST],
        total=len(keys),
        names={row["uscc"]: row["name"] for row in registry.items},
        wanted=wanted,
        state=state,
        fault=fault,
        said=said,
        made=made,
        typed=typed or {},
    )


def add(app: FastAPI) -> None:
    """Puts the pages on the console."""
    app.include_router(router)
