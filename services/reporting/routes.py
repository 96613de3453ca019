"""reporting over HTTP: figures, the rows behind each, the proof that they add up, and reports made of them."""

from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, Response

from services.reporting import metrics, report, store
from services.reporting.domain.period import parse_day, parse_period
from services.reporting.domain.selection import Selection
from services.reporting.domain.tally import Group, Measure
from services.reporting.shapes import fact_json, recount_json, rows_json
from shared.access import Reader, Staff, staff_with
from shared.codes import prefix_of
from shared.database import Connection
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.problems import Problem
from shared.sight import sight
from shared.vocabulary import Grade, Industry, Level

router = APIRouter(prefix="/v1", tags=["reporting"])
MOST = 100_000
"""Figures in one answer."""

Day = Annotated[date, BeforeValidator(parse_day)]
Recounter = Annotated[Staff, Depends(staff_with("reconcile"))]


class AskedGrade(StrEnum):
    """A grade, or that there is none."""

    GENERAL = Grade.GENERAL.value
    MAJOR = Grade.MAJOR.value
    NONE = "none"


def asked_part(
    staff: Reader,
    first: Annotated[Day | None, Query(alias="from", description="first day, of Asia/Shanghai")] = None,
    last: Annotated[Day | None, Query(alias="to", description="last day, inside")] = None,
    day: Annotated[Day | None, Query(description="the day of a row; of a stock the day of opening")] = None,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    industry: Annotated[list[Industry] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    grade: Annotated[list[AskedGrade] | None, Query()] = None,
    enterprise: Annotated[str | None, Query(max_length=18)] = None,
) -> Selection:
    """The filters of every question; each field that rows are grouped by is also one, so that a figure opens."""
    if first and last and first > last:
        raise Problem(422, "bad_range", "from must not be after to", pointer="/from")
    return Selection(
        sight=staff.prefix,
        own=staff.enterprise,
        first=first,
        last=last,
        day=day,
        within=prefix_of(region) if region else None,
        industries=tuple(industry or ()),
        levels=tuple(level or ()),
        grades=tuple("" if each is AskedGrade.NONE else each.value for each in grade or ()),
        enterprise=enterprise,
    )


Part = Annotated[Selection, Depends(asked_part)]


@router.get("/statistics")
async def statistics(
    request: Request,
    staff: Reader,
    part: Part,
    measure: Annotated[list[Measure], Query(min_length=1)],
    group_by: Annotated[list[Group] | None, Query()] = None,
) -> JSONResponse:
    """Figures by group. from and to bound what happened; a stock (cases_open, cases_overdue) stands at as_of."""
    measures, groups = list(dict.fromkeys(measure)), list(dict.fromkeys(group_by or ()))
    async with _snapshot(request, staff) as db:
        figures = await _figures(db, part, measures, groups)
        rows = rows_json(figures, groups, measures)
        answer: dict[str, Any] = {"rows": rows, "as_of": await store.now(db)}
        if Group.ENTERPRISE in groups:
            answer["names"] = await store.names(db, (row[Group.ENTERPRISE] for row in rows))
    return _json(answer)


@router.get("/statistics/facts")
async def facts_behind(
    request: Request, staff: Reader, part: Part, measure: Measure, limit: Limit = 50, cursor: Cursor = None
) -> JSONResponse:
    """The rows that a figure consists of, newest first; of a stock the cases."""
    limit, filters = capped(limit), {"part": repr(part), "measure": measure}
    place = place_of(cursor, filters, 2)
    after = (datetime.fromisoformat(place[0]), UUID(place[1])) if place else None
    async with _snapshot(request, staff) as db:
        rows = await store.rows_behind(db, part, measure, after, limit + 1)
    kept, following = page(rows, limit, ("at", "id"), filters)
    return _json({"items": [fact_json(row, measure) for row in kept], "next": following})


@router.post("/statistics/recount")
async def recount(request: Request, staff: Recounter) -> JSONResponse:
    """Proves the figures: every roll-up against a recount of its facts, every case copy against its facts."""
    async with _snapshot(request, staff) as db:
        found = await store.recount(db)
    metrics.recounted(found)
    return _json(recount_json(found))


@router.get("/reports/{period}.xlsx")
async def period_report(request: Request, period: str, staff: Reader) -> Response:
    """The report of a year, month, week or day, such as 2026, 2026-11, 2026-W48 or 2026-11-25."""
    try:
        asked = parse_period(period)
    except ValueError as error:
        raise Problem(422, "bad_period", str(error), pointer="/period") from error
    part = Selection(staff.prefix, staff.enterprise, asked.first, asked.last)
    async with _snapshot(request, staff) as db:
        sheets = [
            (sheet, await _figures(db, part, list(Measure), [sheet.group]))
            for sheet in (report.BY_REGION, report.BY_INDUSTRY)
        ]
        as_of = await store.now(db)
    headers = {"Content-Disposition": f'attachment; filename="fengsui-{period}.xlsx"'}
    return Response(report.workbook(asked, as_of, staff.prefix, sheets), media_type=report.MEDIA_TYPE, headers=headers)


async def _figures(db: Connection, part: Selection, measures: list[Measure], groups: list[Group]) -> store.Figures:
    figures = await store.figures(db, part, measures, groups, MOST + 1)
    if sum(map(len, figures.values())) > MOST:
        raise Problem(422, "too_many_rows", f"more than {MOST} figures: ask for fewer days or groups")
    return figures


def _snapshot(request: Request, staff: Staff) -> AbstractAsyncContextManager[Connection]:
    """All statements see the same moment."""
    return sight(request, staff, "repeatable_read")


class _Json(JSONResponse):
    """JSON with moments in RFC 3339."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, default=str)


def _json(content: Any) -> JSONResponse:
    return _Json(content)


def add(app: FastAPI) -> None:
    """Puts the routes on the service's application."""
    app.include_router(router)
