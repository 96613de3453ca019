"""地图: the cities of the province and its enterprises, by the worst that is open there."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from services.console import words
from services.console.domain.places import Mark, Place, inside, marks, parts_of, places
from services.console.domain.places import parts as parts_with
from services.console.fragments import Fragments
from services.console.pages import page, text
from services.console.parts import everything, parts
from services.console.visitors import Visitor, visitor_with
from shared.codes import region_at, regions, tier_of
from shared.vocabulary import Tier

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]


@router.get("/map")
async def show_map(request: Request, visitor: Viewer) -> Response:
    """The map of what is in sight, or of one region in it."""
    fragments: Fragments = request.app.state.fragments
    return await fragments.once(request, visitor, lambda: _map(request, visitor))


async def _map(request: Request, visitor: Visitor) -> Response:
    services, own = request.app.state.services, visitor.staff.region
    asked = request.query_params.get("region") or own
    sight = asked if asked in regions() and asked.startswith(visitor.staff.prefix) else own
    registry, trouble = await parts(
        everything(services, visitor, "ingest", "/v1/enterprises"),
        everything(services, visitor, "hazards", "/v1/board/enterprises"),
    )
    known = inside(places(registry.items, trouble.items), sight)
    rows = parts_with(known, sight)
    drawn = marks(known)
    return page(
        request,
        visitor,
        "map.html",
        sight=sight,
        choices=parts_of(own) if tier_of(own) is not Tier.COUNTY else [],
        registry=registry,
        trouble=trouble,
        rows=rows,
        unplaced=sum(place.longitude is None or place.latitude is None for place in known),
        total=len(known),
        drawing={
            "city": None if tier_of(sight) is Tier.PROVINCE else region_at(sight, Tier.CITY),
            "parts": _tints(visitor, known, own),
            "marks": [_drawn(visitor, mark, trouble.value is not None) for mark in drawn],
        },
    )


def _tints(visitor: Visitor, known: list[Place], own: str) -> list[dict[str, Any]]:
    """Each city with its worst level, by the name that the outlines have for it; those out of sight without any."""
    rows = parts_with(known, region_at(own, Tier.PROVINCE))
    return [
        {
            "city": regions()[row.region].name,
            "name": words.region_name(row.region, visitor.locale),
            "level": row.level,
            "word": text(visitor, words.english("level", row.level)) if row.level else "",
            "alarms": row.alarms,
            "link": "/board?" + urlencode({"region": row.region}) if _sees(visitor, row.region) else None,
        }
        for row in rows
        if row.region in regions()
    ]


def _sees(visitor: Visitor, city: str) -> bool:
    prefix = visitor.staff.prefix
    return city.startswith(prefix) or prefix.startswith(city[:4])


def _drawn(visitor: Visitor, mark: Mark, told: bool) -> dict[str, Any]:
    """A mark with what is said of it and where it leads: one enterprise's board, or that of its region."""
    name = mark.name or text(visitor, "%(count)s enterprises", count=mark.count)
    level = text(visitor, words.english("level", mark.level)) if mark.level else text(visitor, "Nothing open")
    counts = text(visitor, "%(alarms)s alarms, %(cases)s cases", alarms=mark.alarms, cases=mark.cases)
    said = f"{level} · {counts}" if told else text(visitor, "Level unknown")
    where = {"enterprise": mark.uscc} if mark.uscc else {"region": region_at(mark.region, Tier.CITY)}
    if not mark.uscc and tier_of(visitor.staff.region) is not Tier.PROVINCE:
        where = {"region": mark.region}
    return {
        "at": [mark.longitude, mark.latitude],
        "level": mark.level,
        "count": mark.count,
        "text": f"{name}\n{said}",
        "link": "/board?" + urlencode(where),
    }


def add(app: FastAPI) -> None:
    """Puts the page on the console."""
    app.include_router(router)
