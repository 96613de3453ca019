"""The ledger as a file: JSON lines, CSV or XLSX, written as it is read."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import groupby
from typing import Any, Final

import orjson
import xlsxwriter

from services.hazards import store
from services.hazards.shapes import case_json, step_json
from shared.access import Staff
from shared.database import Pool
from shared.sight import seeing

MEDIA_TYPES: Final = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PAGE = 500
LINES = 5000  # of timelines held at once; a case with more is held alone
COLUMNS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "编号": lambda case: case["id"],
    "企业": lambda case: case["enterprise"]["name"],
    "统一社会信用代码": lambda case: case["enterprise"]["uscc"],
    "区划": lambda case: case["region"],
    "行业": lambda case: case["industry"],
    "标题": lambda case: case["title"],
    "级别": lambda case: case["level"],
    "隐患等级": lambda case: case["grade"],
    "状态": lambda case: case["state"],
    "立案时间": lambda case: case["opened_at"].isoformat(),
    "期限": lambda case: case["due_at"] and case["due_at"].isoformat(),
    "超期": lambda case: "是" if case["overdue"] else "否",
    "次数": lambda case: case["occurrences"],
    "责任人": lambda case: case["responsible"],
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


async def stream(ask: Pool, staff: Staff, form: str) -> AsyncIterator[bytes]:
    """The file in pieces."""
    if form == "xlsx":
        yield await _xlsx(ask, staff)
        return
    if form == "csv":
        yield b"\xef\xbb\xbf" + _csv_line(COLUMNS)
    async for case in _cases(ask, staff):
        yield _csv_line(_row(case)) if form == "csv" else orjson.dumps(case, default=str) + b"\n"


async def _cases(ask: Pool, staff: Staff) -> AsyncIterator[dict[str, Any]]:
    """Every case in sight with its whole timeline, newest first, a page at a time."""
    after: tuple[Any, Any] = (None, None)
    while True:
        async with seeing(ask, staff, readonly=True) as db:
            rows = await db.fetch(store.LIST_CASES, staff.prefix, staff.enterprise, *[None] * 9, *after, PAGE)
            now = await store.now(db)
        for part in _parts(rows):
            async with seeing(ask, staff, readonly=True) as db:
                lines = await db.fetch(store.TIMELINES_OF, [row["id"] for row in part])
            timelines = {case: list(found) for case, found in groupby(lines, key=lambda line: line["case_id"])}
            for row in part:
                lines = [line for line in timelines.get(row["id"], []) if line["version"] <= row["version"]]
                yield case_json(store.case_of(row), now) | {"timeline": [step_json(line) for line in lines]}
        if len(rows) < PAGE:
            return
        after = (rows[-1]["opened_at"], rows[-1]["id"])


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Cases in order, so many that their timelines have about as many rows as a page; a version is a row each."""
    part: list[Any] = []
    room = LINES
    for row in rows:
        if part and row["version"] > room:
            yield part
            part, room = [], LINES
        part.append(row)
        room -= row["version"]
    if part:
        yield part


def _row(case: dict[str, Any]) -> list[Any]:
    return [cell(case) for cell in COLUMNS.values()]


def _csv_line(cells: Iterable[Any]) -> bytes:
    return (",".join(csv_cell(cell) for cell in cells) + "\r\n").encode()


def csv_cell(value: Any) -> str:
    """One cell; text that a spreadsheet would take for a formula is shown as text."""
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


async def _xlsx(ask: Pool, staff: Staff) -> bytes:
    buffer = BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("台账")
        _write(sheet, 0, list(COLUMNS))
        number = 0
        async for case in _cases(ask, staff):
            number += 1
            _write(sheet, number, _row(case))
    return buffer.getvalue()


def _write(sheet: Any, number: int, cells: Sequence[Any]) -> None:
    for column, cell in enumerate(cells):
        if cell is not None:
            sheet.write_string(number, column, str(cell)[:32_767])  # a cell holds no more
