"""Who is on duty, and the routes by which a call climbs."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from services.notify.domain.duty import Shift, following, gaps
from services.notify.domain.route import Routes, is_ascending
from services.notify.routes.answers import Json, not_found
from services.notify.store import duty as store
from services.notify.store.calls import now
from shared import audit
from shared.access import Reader, Staff, staff_with
from shared.codes import prefix_of, region_at, regions, tier_of
from shared.moments import WrittenMoment
from shared.problems import Problem
from shared.sight import sight
from shared.vocabulary import Level, Tier

router = APIRouter(prefix="/v1", tags=["duty"])
RouteStaff = Annotated[Staff, Depends(staff_with("routes"))]
LONGEST_S: Final = 7 * 24 * 3600
AHEAD: Final = timedelta(days=7)


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
    at: WrittenMoment | None = None,
    within: Annotated[bool, Query(description="the regions inside the asked one as well")] = False,
) -> JSONResponse:
    """Who answers for a region at each tier at a moment, when that changes, and when a call would find nobody.

    `regions` looks a week ahead: who is on duty now, who begins next, and the gaps, each with its reason."""
    asked = region or staff.region
    if asked not in regions() or not asked.startswith(staff.prefix):
        raise not_found("region")
    above = [region_at(asked, tier) for tier in Tier]
    inside = [code for code in regions() if within and code.startswith(prefix_of(asked))]
    tiers = {code: tier_of(code) for code in (*above, *inside)}
    async with sight(request, staff) as db:
        moment = at or await now(db)
        until = moment + AHEAD
        duty = await store.duty(db, [asked], moment)
        changes = await store.changes(db, list(tiers), moment)
        coming = await store.coming(db, list(tiers), moment, until)
    items = [_shift_json(shift) for code in above for shift in duty.shifts if shift.region == code]
    turns = [{"region": code, "tier": tiers[code], "at": changes.get(code)} for code in above]
    found = [
        _region_json(code, [shift for shift in coming if shift.region == code], moment, until)
        | {"changes_at": changes.get(code)}
        for code in tiers
    ]
    return Json({"items": items, "next": None, "at": moment, "until": until, "changes": turns, "regions": found})


def _shift_json(shift: Shift) -> dict[str, Any]:
    return {
        "region": shift.region,
        "tier": tier_of(shift.region),
        "contact": shift.contact.contact,
        "name": shift.contact.name,
        "role": shift.contact.role,
        "position": shift.position,
        "start": shift.start,
        "end": shift.end,
        "reachable": shift.contact.reachable,
    }


def _region_json(region: str, shifts: list[Shift], at: datetime, until: datetime) -> dict[str, Any]:
    return {
        "region": region,
        "tier": tier_of(region),
        "now": [_shift_json(shift) for shift in shifts if shift.covers(at)],
        "next": [_shift_json(shift) for shift in following(shifts, at)],
        "gaps": [asdict(gap) for gap in gaps(region, shifts, at, until)],
    }


@router.get("/routes")
async def show_routes(request: Request, staff: Reader) -> JSONResponse:
    """How long each tier has to answer, by level."""
    async with sight(request, staff) as db:
        return Json(_routes_json(await store.routes(db)))


@router.put("/routes")
async def put_routes(request: Request, body: AllRoutes, staff: RouteStaff) -> JSONResponse:
    """Puts other routes in place of all there are; calls that are open go on by the new ones."""
    wanted = _routes_of(body)
    async with sight(request, staff) as db:
        await store.save_routes(db, wanted)
        await audit.record(db, staff, "put_routes", "routes", routes=body.model_dump(mode="json")["items"])
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
