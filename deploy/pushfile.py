"""Reads a file to be pushed, however long, an item at a time, and knows the line of each."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import BinaryIO, Final

import orjson
from pydantic_core import from_json

from deploy.refusal import Refusal

LINE_LIMIT: Final = 8 * 1024 * 1024  # what a door takes at once
BATCH_BYTES: Final = 4 * 1024 * 1024
COLUMNS: Final = {"point": True, "time": True, "value": True, "quality": False}
BOM: Final = b"\xef\xbb\xbf"

ONE_LIST = "{file} is one JSON list: write one event a line, or readings as CSV"
NOT_TEXT = "{file} is not {encoding} after line {line}: say what it is by --encoding, such as gb18030"
NOT_CSV = "{file} cannot be read as CSV after line {line}: {reason}"
NO_ENCODING = "{encoding!r} is no encoding that is known here; gb18030 and utf-8 are"
HEADINGS = "{file} should have the columns point,time,value and perhaps quality; its first line says {found}"


@dataclass(frozen=True, slots=True)
class Item:
    """One event or reading as JSON, and the line of the file it stands on."""

    line: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the item of a line was not taken."""

    line: int
    code: str
    detail: str
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How items of one kind travel: where to, as what, between which brackets, and how many at once."""

    path: str
    media: str
    opening: bytes
    closing: bytes
    most: int

    def body(self, items: list[Item]) -> bytes:
        """The items as one request."""
        return self.opening + b",".join(item.body for item in items) + self.closing


EVENTS: Final = Form("/v1/events", "application/cloudevents-batch+json", b"[", b"]", 100)
READINGS: Final = Form("/v1/readings", "application/json", b'{"readings":[', b"]}", 1000)


class PushFile:
    """An open file of CloudEvents (JSON lines) or readings (CSV)."""

    def __init__(self, file: Path, stream: BinaryIO, size: int, encoding: str) -> None:
        self.size = size
        self._file, self._stream, self._encoding = file, stream, encoding
        start = stream.read(4096).removeprefix(BOM).lstrip()[:1]
        stream.seek(0)
        if start == b"[":
            raise Refusal(ONE_LIST.format(file=file))
        self.form = EVENTS if start == b"{" else READINGS

    def position(self) -> int:
        """How many bytes have been read."""
        return self._stream.tell()

    def batches(self) -> Iterator[list[Item] | Rejection]:
        """What goes into one request each, in the order of the file; what cannot be sent in between."""
        batch: list[Item] = []
        size = 0
        for entry in self._events() if self.form is EVENTS else self._readings():
            if isinstance(entry, Rejection):
                yield entry
                continue
            if batch and (len(batch) == self.form.most or size + len(entry.body) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(entry)
            size += len(entry.body)
        if batch:
            yield batch

    def _events(self) -> Iterator[Item | Rejection]:
        number = 0
        while line := self._stream.readline(LINE_LIMIT):
            number += 1
            if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                while (rest := self._stream.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                    pass
                yield Rejection(number, "too_large", "more than a door takes at once")
            elif text := line.removeprefix(BOM if number == 1 else b"").strip():
                yield _event(number, text)

    def _readings(self) -> Iterator[Item | Rejection]:
        try:
            text = io.TextIOWrapper(self._stream, self._encoding, newline="")
        except LookupError as error:
            raise Refusal(NO_ENCODING.format(encoding=self._encoding)) from error
        rows = csv.reader(text, strict=True)
        try:
            columns = None
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                if columns is None:
                    columns = self._columns(row)
                else:
                    yield _reading(rows.line_num, columns, row)
        except UnicodeError as error:
            encoding = self._encoding.removesuffix("-sig")
            raise Refusal(NOT_TEXT.format(file=self._file, encoding=encoding, line=rows.line_num)) from error
        except csv.Error as error:
            raise Refusal(NOT_CSV.format(file=self._file, line=rows.line_num, reason=error)) from error
        finally:
            text.detach()

    def _columns(self, row: list[str]) -> list[str]:
        columns = [cell.strip().lower() for cell in row]
        missing = any(must and name not in columns for name, must in COLUMNS.items())
        if missing or set(columns) - set(COLUMNS) or len(columns) > len(set(columns)):
            raise Refusal(HEADINGS.format(file=self._file, found=",".join(row)[:200]))
        return columns


@contextmanager
def opened(file: Path, encoding: str | None = None) -> Iterator[PushFile]:
    """The file for as long as the context lasts."""
    with file.open("rb") as stream:
        yield PushFile(file, stream, file.stat().st_size, encoding or "utf-8-sig")


def _event(line: int, text: bytes) -> Item | Rejection:
    """Only what would spoil its whole batch is kept back here; every other fault is the door's to name."""
    try:
        value = from_json(text, allow_inf_nan=True)
    except ValueError as error:
        return Rejection(line, "bad_json", str(error))
    return Item(line, text) if isinstance(value, dict) else Rejection(line, "bad_shape", "an event is a JSON object")


def _reading(line: int, columns: list[str], row: list[str]) -> Item | Rejection:
    if len(row) != len(columns):
        return Rejection(line, "bad_width", f"{len(row)} cells under {len(columns)} headings")
    cells = {name: cell.strip() for name, cell in zip(columns, row, strict=True)}
    reading: dict[str, object] = {"point": cells["point"], "time": cells["time"], "value": None}
    if cells["value"]:
        try:
            if not cells["value"].isascii() or "_" in cells["value"]:
                raise ValueError
            reading["value"] = value = float(cells["value"])
        except ValueError:
            return Rejection(line, "not_a_number", "a number in ASCII digits", "/value")
        if not isfinite(value):
            return Rejection(line, "not_finite", "a finite number", "/value")
    if cells.get("quality"):
        reading["quality"] = cells["quality"]
    return Item(line, orjson.dumps(reading))
