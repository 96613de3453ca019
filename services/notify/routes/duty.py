"""Who is on duty, and the routes by which a call climbs."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from services.notify.domain.route import Routes, is_ascending
from services.notify.routes.answers import Json, not_found
from services.notify.store import duty as store
from services.notify.store.calls import now
from shared.access import Reader, Staff, staff_with
from shared.codes import region_at, regions, tier_of
from shared.problems import Problem
from shared.vocabulary import Level, Tier

router = APIRouter(prefix="/v1", tags=["duty"])
RosterStaff = Annotated[Staff, Depends(staff_with("rosters"))]
LONGEST_S: Final = 7 * 24 * 3600


class TierTime(BaseModel):
    """How long a tier has to answer."""

    model_config = ConfigDict(extra="forbid")
    tier: Tier
    ack_within_s: Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]


class LevelRoute(BaseModel):
    """The tiers of one level, lowest first."""

    model_config = ConfigDict(extra="forbid")
    level: Level
    tiers: Annotated[list[TierTime], Field(min_length=1, max_length=3)]


class AllRoutes(BaseModel):
    """The routes of all levels."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[LevelRoute], Field(min_length=1, max_length=16)]


@router.get("/on-duty")
async def on_duty(
    request: Request,
    staff: Reader,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    at: AwareDatetime | None = None,
) -> JSONResponse:
    """Who answers for a region at each tier at a moment, and when that changes next."""
    asked = region or staff.region
    if asked not in regions() or not asked.startswith(staff.prefix):
        raise not_found("region")
    tiers = {code: tier_of(code) for code in (region_at(asked, tier) for tier in Tier)}
    async with request.app.state.service.ask.acquire() as db:
        moment = at or await now(db)
        duty = await store.duty(db, [asked], moment)
        changes = await store.changes(db, list(tiers), moment)
    items = [
        {
            "region": shift.region,
            "tier": tiers[shift.region],
            "contact": shift.contact.contact,
            "name": shift.contact.name,
            "role": shift.contact.role,
            "position": shift.position,
            "start": shift.start,
            "end": shift.end,
            "reachable": shift.contact.reachable,
        }
        for code in tiers
        for shift in duty.shifts
        if shift.region == code
    ]
    turns = [{"region": code, "tier": tier, "at": changes.get(code)} for code, tier in tiers.items()]
    return Json({"items": items, "next": None, "at": moment, "changes": turns})


@router.get("/routes")
async def show_routes(request: Request, _staff: Reader) -> JSONResponse:
    """How long each tier has to answer, by level."""
    async with request.app.state.service.ask.acquire() as db:
        return Json(_routes_json(await store.routes(db)))


@router.put("/routes")
async def put_routes(request: Request, body: AllRoutes, staff: RosterStaff) -> JSONResponse:
    """Puts other routes in place of all there are; calls that are open go on by the new ones."""
    if tier_of(staff.region) is not Tier.PROVINCE:
        raise Problem(403, "forbidden", "routes hold for the whole province")
    wanted = _routes_of(body)
    async with request.app.state.service.ask.acquire() as db, db.transaction():
        await store.save_routes(db, wanted)
    return Json(_routes_json(wanted))


def _routes_of(body: AllRoutes) -> Routes:
    levels = [route.level for route in body.items]
    if sorted(levels) != sorted(Level):
        raise Problem(422, "bad_routes", f"each of {', '.join(Level)} has one route", pointer="/items")
    for place, route in enumerate(body.items):
        if not is_ascending(each.tier for each in route.tiers):
            raise Problem(
                422, "bad_routes", "each tier lies above the one before, once", pointer=f"/items/{place}/tiers"
            )
    return {
        route.level: {each.tier: timedelta(seconds=each.ack_within_s) for each in route.tiers} for route in body.items
    }


def _routes_json(routes: Routes) -> dict[str, Any]:
    return {
        "items": [
            {
                "level": level,
                "tiers": [
                    {"tier": tier, "ack_within_s": routes[level][tier].total_seconds()}
                    for tier in Tier
                    if tier in routes[level]
                ],
            }
            for level in Level
        ],
        "next": None,
    }
