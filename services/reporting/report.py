"""A period's figures as a workbook that offices can pass on: in Chinese, by region and by industry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from io import BytesIO
from operator import add
from typing import Any, Final

import xlsxwriter

from services.reporting.domain.period import SHANGHAI, Period
from services.reporting.domain.tally import Figure, Group, Measure
from services.reporting.store import Figures
from shared.codes import regions
from shared.vocabulary import Industry, Tier

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MINUTE, DAY = 60_000_000, 24 * 3600 * 1_000_000  # in microseconds
INDUSTRY_ZH: Final[dict[str, str]] = {
    Industry.CIVIL_EXPLOSIVES: "民爆",
    Industry.RAILWAY_CROSSINGS: "铁路监护道口",
    Industry.AUTOMOBILE: "汽车",
    Industry.PETROCHEMICAL: "石化",
    Industry.EQUIPMENT: "装备",
    Industry.MEDICINE: "医药",
    Industry.METALLURGY_BUILDING_MATERIALS: "冶金建材",
    Industry.FOOD: "食品",
    Industry.LIGHT_INDUSTRY_TEXTILE: "轻工纺织",
    Industry.ELECTRONICS: "电子",
    Industry.RESOURCE_UTILIZATION: "资源综合利用",
    Industry.INFORMATION_TECHNOLOGY: "软件信息",
}

Row = Mapping[Measure, Figure]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the report: a row for each member of the group, also for those that nothing happened to (零报告)."""

    title: str
    group: Group
    heads: tuple[str, ...]
    cells: Callable[[str], tuple[str, ...]]
    """What stands before the figures."""
    members: Callable[[str], list[str]]
    """All of the group in sight of a region prefix."""


def _counties(sight: str) -> list[str]:
    return [code for code, region in regions().items() if region.tier is Tier.COUNTY and code.startswith(sight)]


def _region_cells(code: str) -> tuple[str, ...]:
    return code, regions()[code].name if code in regions() else ""


BY_REGION: Final = Sheet("按区划", Group.REGION, ("区划代码", "区划名称"), _region_cells, _counties)
BY_INDUSTRY: Final = Sheet(
    "按行业", Group.INDUSTRY, ("行业",), lambda code: (INDUSTRY_ZH.get(code, code),), lambda _sight: list(INDUSTRY_ZH)
)


def _count(measure: Measure) -> Callable[[Row], int]:
    return lambda row: _of(row, measure).count


def _mean(measure: Measure, unit: int) -> Callable[[Row], float | None]:
    return lambda row: figure.sum / figure.count / unit if (figure := _of(row, measure)).count else None


def _longest(measure: Measure, unit: int) -> Callable[[Row], float | None]:
    return lambda row: figure.max / unit if (figure := _of(row, measure)).count else None


def _of(row: Row, measure: Measure) -> Figure:
    return row.get(measure, Figure())


COLUMNS: Final[dict[str, Callable[[Row], float | None]]] = {
    "报警（次）": _count(Measure.ALARMS),
    "立案（件）": _count(Measure.CASES_OPENED),
    "销号（件）": _count(Measure.CASES_CLOSED),
    "在办（件）": _count(Measure.CASES_OPEN),
    "其中超期（件）": _count(Measure.CASES_OVERDUE),
    "已应答（件）": _count(Measure.SECONDS_TO_ACKNOWLEDGE),
    "平均应答用时（分钟）": _mean(Measure.SECONDS_TO_ACKNOWLEDGE, MINUTE),
    "最长应答用时（分钟）": _longest(Measure.SECONDS_TO_ACKNOWLEDGE, MINUTE),
    "平均销号用时（天）": _mean(Measure.SECONDS_TO_CLOSE, DAY),
    "最长销号用时（天）": _longest(Measure.SECONDS_TO_CLOSE, DAY),
}


def workbook(period: Period, as_of: datetime, sight: str, sheets: Iterable[tuple[Sheet, Figures]]) -> bytes:
    """The file; `sight` is what every region in sight begins with."""
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": f"安全生产统计 {period.title}", "created": as_of.replace(tzinfo=None)})
        for sheet, figures in sheets:
            _write(book, sheet, period, as_of, {place[0]: row for place, row in figures.items()}, sight)
    return buffer.getvalue()


def _write(book: Any, sheet: Sheet, period: Period, as_of: datetime, found: dict[str, Row], sight: str) -> None:
    table, bold, decimal = book.add_worksheet(sheet.title), book.add_format({"bold": True}), book.add_format()
    decimal.set_num_format("0.0")
    stands = f"{as_of.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    table.write_string(0, 0, f"安全生产统计 {period.title}（{period.first} 至 {period.last}）", bold)
    table.write_string(1, 0, f"日期按北京时间；在办和超期为 {stands} 的时点数，不限期间；作废的不计入在办和销号")
    heads = [*sheet.heads, *COLUMNS]
    for column, head in enumerate(heads):
        table.write_string(3, column, head, bold)
    known = sheet.members(sight)
    members = [*known, *sorted(found.keys() - set(known))]
    rows = [(sheet.cells(member), found.get(member, {})) for member in members]
    rows.append((("合计", *[""] * (len(sheet.heads) - 1)), _total(found)))
    for number, (cells, row) in enumerate(rows, start=4):
        for column, text in enumerate(cells):
            table.write_string(number, column, text)
        for column, value in enumerate((of(row) for of in COLUMNS.values()), start=len(cells)):
            if value is not None:
                table.write_number(number, column, value, decimal if isinstance(value, float) else None)
    table.freeze_panes(4, len(sheet.heads))
    table.set_column(0, len(heads) - 1, 14)


def _total(found: Mapping[str, Row]) -> Row:
    return {measure: reduce(add, (_of(row, measure) for row in found.values()), Figure()) for measure in Measure}
