"""运维: whether every service can do its job, what waits for a person there, and what was last heard of each source."""

import time
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.console.asking import Answer, Away, Services
from services.console.fragments import Fragments
from services.console.pages import page, text
from services.console.parts import Part, everything, parts
from services.console.routes.board import refused, silent
from services.console.visitors import Visitor, visitor_with
from services.console.words import _
from shared.access import PROVINCIAL
from shared.codes import tier_of
from shared.problems import Problem
from shared.vocabulary import Tier

router = APIRouter(prefix="/operations", include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]
Operator = Annotated[Visitor, Depends(visitor_with("dead_letters"))]

ASKED: Final = ("ingest", "hazards", "notify", "reporting")
MISSED: Final = 3  # ours: a source is overdue after that many of its own intervals in silence


@router.get("")
async def show_operations(request: Request, visitor: Viewer) -> Response:
    """Readiness, stopped partitions and sources, as far as the role may see them."""
    fragments: Fragments = request.app.state.fragments
    return await fragments.once(request, visitor, lambda: _operations(request, visitor))


async def _operations(request: Request, visitor: Visitor) -> Response:
    services: Services = request.app.state.services
    operator = can(visitor, "dead_letters")
    readiness = await parts(*(services.reasons(name) for name in ASKED))
    stopped = await parts(*(services.get(visitor, name, "/v1/partitions/stopped") for name in ASKED if operator))
    sources, registry = await parts(
        services.get(visitor, "ingest", "/v1/sources", {"limit": 500}),
        everything(services, visitor, "ingest", "/v1/enterprises"),
    )
    return page(
        request,
        visitor,
        "operations.html",
        **frame(visitor, "overview"),
        readiness=[("console", Part(request.app.state.service.reasons())), *zip(ASKED, readiness, strict=True)],
        addresses={name: services.address(name, "/metrics") for name in ("console", *ASKED)} if operator else {},
        stopped=list(zip(ASKED, stopped, strict=True)) if operator else [],
        sources=sources,
        heard=heard(sources.items, time.time()),
        names={row["uscc"]: row["name"] for row in registry.items},
        said=request.query_params.get("said", ""),
    )


@router.post("/partitions/{service}/{topic}/{partition}/resume")
async def resume(request: Request, service: str, topic: str, partition: int, visitor: Operator) -> Response:
    """Lets a partition that was stopped go on."""
    path = f"/v1/partitions/{quote(topic, safe='')}/{partition}/resume"
    answer, fault = await change(request, visitor, known(service), path)
    return (
        back("/operations", "resumed")
        if answer
        else page(
            request,
            visitor,
            "operations_fault.html",
            409,
            **frame(visitor, "overview"),
            fault=fault,
            back="/operations",
        )
    )


def frame(visitor: Visitor, chosen: str) -> dict[str, Any]:
    """What the pages of operations share: those among them that the visitor may see."""
    offered = [
        ("overview", "/operations", _("Overview"), True),
        ("dead_letters", "/operations/dead-letters", _("Dead letters"), can(visitor, "dead_letters")),
        ("keys", "/operations/keys", _("Keys"), can(visitor, "keys")),
        ("audit", "/operations/audit", _("Audit trail"), can(visitor, "audit")),
        ("accounts", "/operations/accounts", _("Accounts"), can(visitor, "accounts")),
    ]
    places = [(name, address, text(visitor, label)) for name, address, label, shown in offered if shown]
    return {"places": places, "chosen": chosen, "can": lambda right: can(visitor, right)}


def can(visitor: Visitor, right: str) -> bool:
    """Whether the role has the right, and the region where it must be the province."""
    staff = visitor.staff
    return staff.may(right) and (right not in PROVINCIAL or tier_of(staff.region) is Tier.PROVINCE)


def known(service: str) -> str:
    """The service's name, if it is one that answers for operations."""
    if service not in ASKED:
        raise Problem(404, "not_found", "no such service")
    return service


def back(address: str, said: str) -> Response:
    """To the page again, which says what was done."""
    return RedirectResponse(f"{address}{'&' if '?' in address else '?'}said={said}", 303)


async def change(
    request: Request, visitor: Visitor, service: str, path: str, json: Any = None
) -> tuple[Answer | None, str]:
    """The service's answer to a change that was made; or none, and a sentence why."""
    services: Services = request.app.state.services
    try:
        answer = await services.send(visitor, "POST", service, path, json)
    except Away as away:
        return None, silent(visitor, away)
    return (answer, "") if answer.done else (None, refused(visitor, answer.code))


def heard(sources: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """Sources with how long ago they were heard, those that are overdue by their own interval first."""
    found = []
    for source in sources:
        silent = max(0.0, now - datetime.fromisoformat(source["heard_at"]).timestamp())
        interval = source["interval_s"]
        found.append({**source, "silent": silent, "overdue": bool(interval) and silent > MISSED * interval})
    return sorted(found, key=lambda source: (not source["overdue"], -source["silent"]))


def add(app: FastAPI) -> None:
    """Puts the pages on the console."""
    app.include_router(router)
