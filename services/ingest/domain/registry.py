"""Rows of the registry files, checked: enterprises (企业) and monitoring points (监测点)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any, Final
from unicodedata import category

from shared.codes import regions, tier_of, uscc_fault
from shared.vocabulary import Industry, Tier

ENTERPRISE_COLUMNS: Final = {
    "uscc": True,
    "name": True,
    "region": True,
    "industry": True,
    "address": False,
    "longitude": False,
    "latitude": False,
}
POINT_COLUMNS: Final = {
    "uscc": True,
    "point": True,
    "name": True,
    "risk_unit": False,
    "quantity": False,
    "uom": False,
    "ll": False,
    "l": False,
    "h": False,
    "hh": False,
    "deadband": False,
    "on_delay_s": False,
    "off_delay_s": False,
}
DELAY_LIMIT_S: Final = 86_400.0
_SPREADSHEET_REGION: Final = re.compile(r"'.*|\d+[.,]\d*(E\+\d+)?", re.ASCII)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})  # controls, bidi overrides, zero widths, line breaks


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell."""

    column: str
    code: str
    detail: str


class BadRow(Exception):
    """A row that cannot be taken, with every fault found in it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults


Cells = Mapping[str, str | None]


def enterprise_of(cells: Cells) -> dict[str, Any]:
    """An enterprise's fields; raises BadRow."""
    faults: list[Fault] = []
    row = {
        "uscc": _checked(cells, "uscc", _uscc, faults),
        "name": _checked(cells, "name", _text, faults),
        "region": _checked(cells, "region", _county, faults),
        "industry": _checked(cells, "industry", _industry, faults),
        "address": _checked(cells, "address", _text, faults),
        "longitude": _checked(cells, "longitude", _between(-180, 180), faults),
        "latitude": _checked(cells, "latitude", _between(-90, 90), faults),
    }
    if faults:
        raise BadRow(*faults)
    return row


def point_of(cells: Cells) -> dict[str, Any]:
    """A point's fields; raises BadRow, with both columns where limits contradict each other."""
    faults: list[Fault] = []
    row: dict[str, Any] = {
        "uscc": _checked(cells, "uscc", _uscc, faults),
        "point": _checked(cells, "point", _point, faults),
        "name": _checked(cells, "name", _text, faults),
    }
    for column in ("risk_unit", "quantity", "uom"):
        row[column] = _checked(cells, column, _text, faults)
    for column in ("ll", "l", "h", "hh"):
        row[column] = _checked(cells, column, _number, faults)
    row["deadband"] = _checked(cells, "deadband", _between(0, float("inf")), faults) or 0.0
    for column in ("on_delay_s", "off_delay_s"):
        row[column] = _checked(cells, column, _between(0, DELAY_LIMIT_S), faults) or 0.0
    known = [(name, row[name]) for name in ("ll", "l", "h", "hh") if row[name] is not None]
    for (lower, low), (upper, high) in pairwise(known):
        if low >= high:
            detail = f"{lower} ({low:g}) must lie below {upper} ({high:g})"
            faults += [Fault(lower, "limits_crossed", detail), Fault(upper, "limits_crossed", detail)]
    if faults:
        raise BadRow(*faults)
    return row


def _checked(cells: Cells, column: str, check: Callable[[str], Any], faults: list[Fault]) -> Any:
    cell = cells.get(column)
    if cell is None:
        return None
    try:
        return check(cell)
    except _Bad as bad:
        faults.append(Fault(column, bad.code, bad.detail))
        return None


class _Bad(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def _text(cell: str) -> str:
    if len(cell) > 200:
        raise _Bad("too_long", "at most 200 characters")
    if "\x00" in cell:
        raise _Bad("nul_character", "text cannot hold NUL")
    return cell


def _point(cell: str) -> str:
    if len(cell) > 64 or any(category(character) in _UNSEEN for character in cell):
        raise _Bad("bad_point", "a point is 1 to 64 characters, none of them unseen")
    return cell


def _uscc(cell: str) -> str:
    if "E+" in cell.upper() or cell.startswith("'"):
        raise _Bad("bad_length", "the code was changed by a spreadsheet (Excel 改了格式): format the column as text")
    code = cell.upper()
    if fault := uscc_fault(code):
        raise _Bad(*fault)
    return code


def _county(cell: str) -> str:
    if cell not in regions():
        hint = "; a spreadsheet changed it (Excel 改了格式)" if _SPREADSHEET_REGION.fullmatch(cell) else ""
        raise _Bad("bad_region", f"no such region (GB/T 2260){hint}")
    if tier_of(cell) is not Tier.COUNTY:
        raise _Bad("bad_region", "an enterprise lies in a county, not in a city or province as a whole")
    return cell


def _industry(cell: str) -> str:
    if cell not in set(Industry):
        raise _Bad("bad_industry", f"one of {', '.join(Industry)}")
    return cell


def _number(cell: str) -> float:
    try:
        if not cell.isascii() or "_" in cell:
            raise ValueError
        value = float(cell)
    except ValueError:
        raise _Bad("not_a_number", "a number in ASCII digits") from None
    if not isfinite(value):
        raise _Bad("not_finite", "a finite number")
    return value + 0.0


def _between(low: float, high: float) -> Callable[[str], float]:
    def check(cell: str) -> float:
        value = _number(cell)
        if not low <= value <= high:
            raise _Bad("out_of_range", f"between {low:g} and {high:g}" if high != float("inf") else f"at least {low:g}")
        return value

    return check
