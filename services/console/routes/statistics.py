"""统计: what was counted, by day, level, region and industry; each figure opens into its rows."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from services.console import words
from services.console.domain.figures import (
    DURATIONS,
    STOCKS,
    Line,
    Measure,
    Period,
    folded,
    line_of,
    period,
    plotted,
    total,
)
from services.console.domain.places import part_of, parts_of
from services.console.pages import SHANGHAI, SHAPES, page, text
from services.console.parts import Part, part, parts
from services.console.routes.board import regions_below
from services.console.visitors import Visitor, visitor_with
from services.console.words import _
from shared.codes import regions
from shared.problems import Problem
from shared.vocabulary import Industry, Level

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]
PRESETS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a measure, a period, and filters by name, each of them perhaps empty."""

    measure: Measure
    period: Period
    filters: dict[str, str]

    @property
    def params(self) -> dict[str, str]:
        """As reporting wants them."""
        days = {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}
        return days | {name: value for name, value in self.filters.items() if value}

    def rows(self, measure: Measure, **more: str) -> str:
        """The address of the rows of a figure."""
        return "/statistics/rows?" + urlencode({"measure": measure, **self.params, **more})


def asked_of(request: Request, today: date) -> Asked:
    """Reads the address; what cannot be read is refused, what is empty is not asked."""
    query = request.query_params
    try:
        measure = Measure(query.get("measure") or Measure.ALARMS)
        first, last = (date.fromisoformat(query[name]) if query.get(name) else None for name in ("from", "to"))
    except ValueError as error:
        raise Problem(422, "invalid", str(error)) from error
    filters = {name: query.get(name, "") for name in ("region", "industry", "level")}
    return Asked(measure, period(first, last, today), filters)


def today() -> date:
    """The day in Asia/Shanghai, by this machine's clock."""
    return datetime.fromtimestamp(time.time(), UTC).astimezone(SHANGHAI).date()


@router.get("/statistics")
async def show_statistics(request: Request, visitor: Viewer) -> Response:
    """The figures of a period as charts and tables."""
    asked, services = asked_of(request, today()), request.app.state.services
    measures = [("measure", measure) for measure in Measure]

    def figures(*groups: str) -> Any:
        params = [*measures, *asked.params.items(), *(("group_by", group) for group in groups)]
        return services.get(visitor, "reporting", "/v1/statistics", params)

    by_day, by_place = await parts(figures("day", "level"), figures("region", "industry"))
    sight = asked.filters["region"] or visitor.staff.region
    return page(
        request,
        visitor,
        "statistics.html",
        asked=asked,
        measures=list(Measure),
        stocks=STOCKS,
        durations=DURATIONS,
        away=by_day.away or by_place.away,
        refusal=by_day.refusal or by_place.refusal,
        as_of=by_day.value["as_of"] if by_day.value else None,
        sums=total(map(line_of, _rows(by_place))),
        sections=[
            _days(visitor, asked, _rows(by_day)),
            _levels(visitor, asked, _rows(by_day)),
            _regions(visitor, asked, _rows(by_place), sight),
            _industries(visitor, asked, _rows(by_place)),
        ],
        choices=regions_below(visitor),
        presets=_presets(asked),
        months=_months(asked.period),
    )


@router.get("/statistics/rows")
async def show_rows(request: Request, visitor: Viewer) -> Response:
    """The rows that a figure consists of."""
    asked = asked_of(request, today())
    narrower = {name: request.query_params.get(name) for name in ("day", "enterprise", "cursor")}
    found = await part(
        request.app.state.services.get(
            visitor,
            "reporting",
            "/v1/statistics/facts",
            {"measure": asked.measure, **asked.params, **narrower, "limit": 50},
        )
    )
    return page(
        request,
        visitor,
        "statistics_rows.html",
        asked=asked,
        found=found,
        took=asked.measure in DURATIONS,
        stock=asked.measure in STOCKS,
        day=narrower["day"],
    )


@router.get("/statistics/reports/{name}.xlsx")
async def download_report(request: Request, name: str, visitor: Viewer) -> Response:
    """reporting's workbook of a period, passed on as it comes."""
    answer = request.app.state.services.stream(visitor, "reporting", f"/v1/reports/{name}.xlsx")
    headers, chunks = await answer.__aenter__()

    async def passed_on() -> Any:
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await answer.__aexit__(None, None, None)

    kept = {each: headers[each] for each in ("Content-Type", "Content-Disposition") if each in headers}
    return StreamingResponse(passed_on(), headers=kept)


def _rows(found: Part) -> list[dict[str, Any]]:
    return list(found.value["rows"]) if found.value else []


def _section(
    visitor: Visitor,
    asked: Asked,
    name: str,
    title: str,
    lines: Mapping[str, Line],
    named: Mapping[str, str],
    series: Iterable[tuple[str, str | None, list[float | None]]],
    **more: Any,
) -> dict[str, Any]:
    """One chart and its table: a line for each key, a link for each bar and figure."""
    keys = list(lines)
    return {
        "name": name,
        "title": text(visitor, title),
        "lines": lines,
        "named": named,
        "rows": {key: {measure: asked.rows(measure, **{name: key}) for measure in Measure} for key in keys},
        "earlier": {},
        "chart": {
            "categories": [
                {
                    "name": named[key],
                    "link": asked.rows(asked.measure, **{name: key}),
                    "level": key if name == "level" else None,
                }
                for key in keys
            ],
            "series": [{"name": word, "level": level, "values": values} for word, level, values in series],
            "unit": text(visitor, "min") if asked.measure in DURATIONS else "",
            "whole": asked.measure not in DURATIONS,
            "across": name != "day",
        },
        **more,
    }


def _days(visitor: Visitor, asked: Asked, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """By day, stacked by level where it is a count; cases opened before the period are a line of their own."""
    found = folded(rows, lambda row: str(row["day"]))
    days = asked.period.days
    lines = {day: found.get(day, {}) for day in days}
    series: list[tuple[str, str | None, list[float | None]]]
    if asked.measure in DURATIONS:
        series = [(_measured(visitor, asked.measure), None, [plotted(line, asked.measure) for line in lines.values()])]
    else:
        apart = {level: folded(_of(rows, "level", level), lambda row: str(row["day"])) for level in Level}
        series = [
            (
                f"{SHAPES[level]} {text(visitor, words.english('level', level))}",
                level.value,
                [plotted(apart[level].get(day, {}), asked.measure) for day in days],
            )
            for level in Level
        ]
    outside = total(line for day, line in found.items() if day not in lines)
    named = {day: day[5:] if asked.period.first.year == asked.period.last.year else day for day in days}
    return _section(
        visitor,
        asked,
        "day",
        _("By day"),
        lines,
        named,
        series,
        earlier=outside if any(outside[measure].count for measure in STOCKS) else {},
    )


def _levels(visitor: Visitor, asked: Asked, rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = folded(rows, lambda row: str(row["level"]))
    named = {level.value: f"{SHAPES[level]} {text(visitor, words.english('level', level))}" for level in Level}
    lines = {level: found.get(level, {}) for level in named}
    return _section(visitor, asked, "level", _("By level"), lines, named, _one(visitor, asked, lines))


def _regions(visitor: Visitor, asked: Asked, rows: list[dict[str, Any]], sight: str) -> dict[str, Any]:
    found = folded(rows, lambda row: part_of(str(row["region"]), sight))
    codes = sorted({*parts_of(sight), *found}) if sight in regions() else sorted(found)
    lines = {code: found.get(code, {}) for code in codes}
    named = {code: words.region_name(code, visitor.locale) for code in codes}
    return _section(visitor, asked, "region", _("By region"), lines, named, _one(visitor, asked, lines))


def _industries(visitor: Visitor, asked: Asked, rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = folded(rows, lambda row: str(row["industry"]))
    named = {each.value: text(visitor, words.english("industry", each)) for each in Industry}
    named |= {each: each for each in found if each not in named}
    lines = {each: found[each] for each in named if each in found}
    return _section(visitor, asked, "industry", _("By industry"), lines, named, _one(visitor, asked, lines))


def _one(visitor: Visitor, asked: Asked, lines: Mapping[str, Line]) -> list[tuple[str, str | None, list[float | None]]]:
    return [(_measured(visitor, asked.measure), None, [plotted(line, asked.measure) for line in lines.values()])]


def _measured(visitor: Visitor, measure: Measure) -> str:
    return text(visitor, words.english("measure", measure))


def _of(rows: Iterable[dict[str, Any]], name: str, value: str) -> list[dict[str, Any]]:
    return [row for row in rows if row[name] == value]


def _presets(asked: Asked) -> list[tuple[int, str, bool]]:
    """The usual periods: days, address, and whether it is the one shown."""
    now = today()
    kept = {"measure": asked.measure, **{name: value for name, value in asked.filters.items() if value}}
    found = []
    for days in PRESETS:
        wanted = period(None, now, now, days)
        address = urlencode({**kept, "from": wanted.first.isoformat(), "to": wanted.last.isoformat()})
        found.append((days, f"/statistics?{address}", wanted == asked.period))
    return found


def _months(shown: Period) -> list[str]:
    """The months that the period touches, newest first."""
    return sorted({day[:7] for day in shown.days}, reverse=True)


def add(app: FastAPI) -> None:
    """Puts the pages on the console."""
    app.include_router(router)
