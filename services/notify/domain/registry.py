"""Rows of the registry files, checked: contacts (联系人) and rosters (值班表)."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from shared.codes import regions
from shared.tables import Row
from shared.vocabulary import ContactRole, Position

CONTACT_COLUMNS: Final = {
    "contact": True,
    "name": True,
    "region": True,
    "role": True,
    "staff": False,
    "phone": False,
    "email": False,
    "webhook": False,
    "webhook_secret": False,
}
ROSTER_COLUMNS: Final = dict.fromkeys(("roster", "region", "contact", "start", "end", "position"), True)

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
SECRET_BYTES: Final = range(16, 129)  # Standard Webhooks advises 24 to 64

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_PHONE = re.compile(r"[+0-9][0-9 ()-]{2,30}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_SPREADSHEET_TIME = re.compile(r"\d{5}(\.\d+)?|\d{4}[/-]\d{1,2}[/-]\d{1,2}( \d{1,2}:\d\d(:\d\d)?)?", re.ASCII)
_SPREADSHEET_REGION = re.compile(r"'.*|\d+[.,]\d*(E\+\d+)?", re.ASCII)
_SPREADSHEET = re.compile(r"'.*|\d(\.\d+)?E\+\d+", re.ASCII)

Fault = tuple[int, str, str, str]
"""Row, column, code and sentence."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as a file has it."""

    contact: str
    name: str
    region: str
    role: ContactRole
    staff: str | None
    phone: str | None
    email: str | None
    webhook: str | None
    webhook_secret: str | None


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift as a file has it; (roster, contact, start) names it."""

    roster: str
    region: str
    contact: str
    start: datetime
    end: datetime
    position: Position


def contact_rows(table: Sequence[Row], faults: list[Fault]) -> list[ContactRow]:
    """The contacts of a table; what is wrong is added to the faults."""
    checks: dict[str, Callable[[str], Any]] = {
        "contact": _name,
        "name": _text,
        "region": _region,
        "role": _one_of(ContactRole),
        "staff": _name,
        "phone": _matching(_PHONE, "bad_phone"),
        "email": _matching(_EMAIL, "bad_email"),
        "webhook": _webhook,
        "webhook_secret": _secret,
    }
    return [ContactRow(**cells) for cells in _checked(table, checks, ("contact",), faults)]


def shift_rows(table: Sequence[Row], faults: list[Fault]) -> list[ShiftRow]:
    """The shifts of a table; what is wrong is added to the faults."""
    checks: dict[str, Callable[[str], Any]] = {
        "roster": _text,
        "region": _region,
        "contact": _name,
        "start": _time,
        "end": _time,
        "position": _one_of(Position),
    }
    found = [ShiftRow(**cells) for cells in _checked(table, checks, ("roster", "contact", "start"), faults)]
    if not faults:
        faults += [
            (row.number, "end", "end_before_start", "a shift ends after it starts")
            for row, shift in zip(table, found, strict=True)
            if shift.end <= shift.start
        ]
    return found


def _checked(
    table: Sequence[Row], checks: Mapping[str, Callable[[str], Any]], key: Sequence[str], faults: list[Fault]
) -> list[dict[str, Any]]:
    good: list[dict[str, Any]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in table:
        values: dict[str, Any] = {}
        for column, check in checks.items():
            cell = row[column]
            try:
                values[column] = None if cell is None else check(cell)
            except _Bad as bad:
                faults.append((row.number, column, bad.code, bad.detail))
        if len(values) == len(checks):
            name = tuple(values[column] for column in key)
            if (first := seen.setdefault(name, row.number)) != row.number:
                faults.append((row.number, key[-1], "twice", f"the same as row {first}"))
            good.append(values)
    return good


class _Bad(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def _text(cell: str) -> str:
    if len(cell) > 200:
        raise _Bad("too_long", "at most 200 characters")
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in cell):
        raise _Bad("bad_character", "a control character or an invisible one")
    return cell


def _name(cell: str) -> str:
    if _SPREADSHEET.fullmatch(cell):
        raise _Bad("bad_name", "the name was changed by a spreadsheet (Excel 改了格式): format the column as text")
    if len(cell) > 64 or any(each.isspace() for each in cell):
        raise _Bad("bad_name", "1 to 64 characters without spaces")
    return _text(cell)


def _region(cell: str) -> str:
    if cell not in regions():
        hint = "; a spreadsheet changed it (Excel 改了格式)" if _SPREADSHEET_REGION.fullmatch(cell) else ""
        raise _Bad("bad_region", f"no such region (GB/T 2260){hint}")
    return cell


def _one_of(words: type[ContactRole] | type[Position]) -> Callable[[str], Any]:
    def check(cell: str) -> Any:
        try:
            return words(cell)
        except ValueError:
            raise _Bad("bad_value", f"one of {', '.join(words)}") from None

    return check


def _matching(form: re.Pattern[str], code: str) -> Callable[[str], str]:
    def check(cell: str) -> str:
        if not form.fullmatch(cell):
            raise _Bad(code, "not of the usual form; a spreadsheet may have changed it (Excel 改了格式)")
        return _text(cell)

    return check


def _webhook(cell: str) -> str:
    try:
        parts = urlsplit(_text(cell) if len(cell) <= 200 else cell)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or len(cell) > 2048 or not cell.isprintable() or " " in cell:
        raise _Bad("bad_url", "an http or https URL of at most 2,048 characters")
    if "@" in parts.netloc:
        raise _Bad("bad_url", "a URL without name and password")
    return cell


def _secret(cell: str) -> str:
    try:
        key = base64.b64decode(cell.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not cell.startswith("whsec_") or len(key) not in SECRET_BYTES:
        raise _Bad("bad_secret", "whsec_ and 16 to 128 bytes in base64")
    return cell


def _time(cell: str) -> datetime:
    try:
        if not _TIME.fullmatch(cell):
            raise ValueError
        at = datetime.fromisoformat(cell).astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "; a spreadsheet changed it (Excel 改了格式)" if _SPREADSHEET_TIME.fullmatch(cell) else ""
        raise _Bad("bad_time", f"RFC 3339 with offset, such as 2026-11-25T08:00:00+08:00{hint}") from None
    if not EARLIEST <= at < LATEST:
        raise _Bad("time_out_of_range", "between 2000 and 2100")
    return at
