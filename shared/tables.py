"""CSV files as offices make them: their encodings, their spreadsheets' habits, and errors by row and column."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from starlette.requests import Request

from shared.problems import Problem

BODY_LIMIT: Final = 32 * 1024 * 1024
ROW_LIMIT: Final = 200_000
CELL_LIMIT: Final = 64 * 1024
FAULTS_SHOWN: Final = 100

csv.field_size_limit(CELL_LIMIT)


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` as a person counts: the header is 1. An empty cell is None."""

    number: int
    cells: Mapping[str, str | None]

    def __getitem__(self, column: str) -> str | None:
        return self.cells[column]


def bad_rows(faults: Sequence[tuple[int, str, str, str]]) -> Problem:
    """The refusal of a file: (row, column, code, sentence) of each fault; nothing of it was imported."""
    shown = [{"row": row, "column": column, "code": code, "detail": detail} for row, column, code, detail in faults]
    detail = f"{len(faults)} cells are wrong; nothing was imported"
    return Problem(422, "bad_rows", detail, errors=shown[:FAULTS_SHOWN], count=len(faults))


async def read_body(request: Request) -> bytes:
    """The body of an import, bounded as it arrives."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_LIMIT:
            raise Problem(413, "too_large", "at most 32 MiB at once", headers={"Connection": "close"})
        pieces.append(piece)
    return b"".join(pieces)


def read_table(body: bytes, columns: Mapping[str, bool]) -> list[Row]:
    """The rows of a CSV file with a header; `columns` tells for each known column whether it must be filled.

    UTF-8 with or without BOM, or GB 18030. Raises a Problem 422: `bad_file` as a whole, or `bad_rows`."""
    reader = csv.reader(StringIO(_text(body), newline=""), strict=True)
    header: list[str] | None = None
    rows: list[Row] = []
    faults: list[tuple[int, str, str, str]] = []
    number, began = 0, 1
    try:
        for cells in reader:
            number += 1
            began = reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, columns)
                continue
            if len(rows) >= ROW_LIMIT:
                raise _bad_file(f"more than {ROW_LIMIT} rows")
            if len(cells) != len(header):
                detail = f"{len(cells)} cells under {len(header)} headings"
                faults.append((number, header[min(len(cells), len(header)) - 1], "bad_width", detail))
                continue
            row = {name: cell.strip() or None for name, cell in zip(header, cells, strict=True)}
            faults += [
                (number, name, "empty", "must be filled")
                for name, must in columns.items()
                if must and not row.get(name)
            ]
            rows.append(Row(number, dict.fromkeys(columns) | row))
    except csv.Error as error:
        raise _bad_file(f"cannot be read from line {began} on: {error}") from None
    if header is None:
        raise _bad_file("the file is empty")
    if faults:
        raise bad_rows(faults)
    return rows


def _text(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _bad_file("the file is UTF-16; save it as UTF-8 or GB 18030")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _bad_file("the file is neither UTF-8 nor GB 18030")


def _header(cells: Sequence[str], columns: Mapping[str, bool]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]  # str.strip takes U+3000 as well
    if len(names) == 1 and len(columns) > 1:
        for separator in (";", "\t", "|"):
            if separator in names[0]:
                raise _bad_file(f"the separator is {separator!r}; it must be a comma")
    known = ", ".join(columns)
    for name in names:
        if name not in columns:
            raise _bad_file(f"unknown column {name[:64]!r}; known are {known}")
        if names.count(name) > 1:
            raise _bad_file(f"the column {name!r} is there twice")
    missing = [name for name, must in columns.items() if must and name not in names]
    if missing:
        raise _bad_file(f"missing columns: {', '.join(missing)}")
    return names


def _bad_file(detail: str) -> Problem:
    return Problem(422, "bad_file", f"{detail}; nothing was imported")
