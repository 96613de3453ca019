"""Contacts and rosters as people import and read them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.notify.domain.registry import ContactRow, ShiftRow
from services.notify.store.rows import columns
from shared.database import Connection
from shared.statements import statements

_SQL = statements("services.notify")
HOLD_REGISTRY = _SQL["hold_registry"]
CONTACTS_NAMED = _SQL["contacts_named"]
TAKEN_CONTACTS = _SQL["taken_contacts"]
SAVE_CONTACTS = _SQL["save_contacts"]
LIST_CONTACTS = _SQL["list_contacts"]
SHIFTS_NAMED = _SQL["shifts_named"]
TAKEN_SHIFTS = _SQL["taken_shifts"]
SAVE_SHIFTS = _SQL["save_shifts"]
LIST_SHIFTS = _SQL["list_shifts"]


async def hold_registry(db: Connection) -> None:
    """One import at a time, until the transaction ends."""
    await db.execute(HOLD_REGISTRY)


async def contacts_named(db: Connection, names: Iterable[str]) -> dict[str, Any]:
    """Rows of contacts by name."""
    return {row["contact"]: row for row in await db.fetch(CONTACTS_NAMED, sorted(set(names)))}


async def taken_contacts(db: Connection, names: Iterable[str]) -> set[str]:
    """Which of the names a contact has, in sight or not."""
    return {row["contact"] for row in await db.fetch(TAKEN_CONTACTS, sorted(set(names)))}


async def save_contacts(db: Connection, contacts: Sequence[tuple[ContactRow, bytes | None]]) -> None:
    """Writes contacts, each with its sealed secret."""
    rows = [
        (c.contact, c.name, c.region, c.role.value, c.staff, c.phone, c.email, c.webhook, sealed)
        for c, sealed in contacts
    ]
    if rows:
        await db.execute(SAVE_CONTACTS, *columns(rows))


async def shifts_named(db: Connection, shifts: Sequence[ShiftRow]) -> dict[tuple[str, str, datetime], Any]:
    """Rows of shifts by roster, contact and start."""
    rows = await db.fetch(SHIFTS_NAMED, *_names(shifts))
    return {(row["roster"], row["contact"], row["starts_at"]): row for row in rows}


async def taken_shifts(db: Connection, shifts: Sequence[ShiftRow]) -> set[tuple[str, str, datetime]]:
    """Which of the shifts, by roster, contact and start, stand on a roster, in sight or not."""
    rows = await db.fetch(TAKEN_SHIFTS, *_names(shifts))
    return {(row["roster"], row["contact"], row["starts_at"]) for row in rows}


def _names(shifts: Sequence[ShiftRow]) -> list[list[Any]]:
    return [[s.roster for s in shifts], [s.contact for s in shifts], [s.start for s in shifts]]


async def save_shifts(db: Connection, shifts: Sequence[ShiftRow]) -> None:
    """Writes shifts."""
    rows = [(s.roster, s.region, s.contact, s.start, s.end, s.position.value) for s in shifts]
    if rows:
        await db.execute(SAVE_SHIFTS, *columns(rows))
