"""Files of contacts and rosters come in whole or not at all, and the same file again changes nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.notify.domain.registry import (
    CONTACT_COLUMNS,
    ROSTER_COLUMNS,
    ContactRow,
    Fault,
    ShiftRow,
    contact_rows,
    shift_rows,
)
from services.notify.sealing import Seal, new_secret
from services.notify.store import registry as store
from shared.access import Staff
from shared.database import Connection
from shared.tables import Row, bad_rows, read_table

_SAME_CONTACT = ("name", "region", "role", "staff", "phone", "email", "webhook")


async def import_contacts(db: Connection, seal: Seal, staff: Staff, body: bytes) -> dict[str, Any]:
    """Takes a file of contacts; the secrets that were made for it are in the answer, this once."""
    table = read_table(body, CONTACT_COLUMNS)
    rows: list[ContactRow] = _read(table, contact_rows)
    await store.hold_registry(db)
    known = await store.contacts_named(db, (row.contact for row in rows))
    foreign = _foreign(staff, await store.taken_contacts(db, (row.contact for row in rows)), known)
    _refuse(_out_of_sight(staff, table, rows, (row.contact in foreign for row in rows), "contact"))
    changed: list[tuple[ContactRow, bytes | None]] = []
    made: list[dict[str, str]] = []
    for row in rows:
        before = known.get(row.contact)
        sealed = before["secret"] if before else None
        wanted = row.webhook_secret
        if wanted is None and row.webhook is not None and sealed is None:
            wanted = new_secret()
            made.append({"contact": row.contact, "webhook_secret": wanted})
        other = wanted is not None and (sealed is None or seal.open(sealed, row.contact) != wanted)
        if wanted is not None and other:
            sealed = seal.seal(wanted, row.contact)
        if before is None or other or any(before[name] != getattr(row, name) for name in _SAME_CONTACT):
            changed.append((row, sealed))
    await store.save_contacts(db, changed)
    created = len(rows) - len(known)
    return _counts(created, len(changed) - created, len(rows) - len(changed)) | {"secrets": made}


async def import_rosters(db: Connection, staff: Staff, body: bytes) -> dict[str, int]:
    """Takes a file of rosters; everyone on it must be a contact."""
    table = read_table(body, ROSTER_COLUMNS)
    rows: list[ShiftRow] = _read(table, shift_rows)
    await store.hold_registry(db)
    contacts = await store.contacts_named(db, (row.contact for row in rows))
    known = await store.shifts_named(db, rows)
    before = [known.get((row.roster, row.contact, row.start)) for row in rows]
    foreign = _foreign(staff, await store.taken_shifts(db, rows), known)
    theirs = [(row.roster, row.contact, row.start) in foreign for row in rows]
    _refuse(
        [
            (line.number, "contact", "unknown_contact", "no such contact is known")
            for line, row in zip(table, rows, strict=True)
            if row.contact not in contacts
        ]
        + _out_of_sight(staff, table, rows, theirs, "roster")
    )
    changed = [row for row, there in zip(rows, before, strict=True) if there is None or not _is_same(row, there)]
    await store.save_shifts(db, changed)
    created = len(rows) - len(known)
    return _counts(created, len(changed) - created, len(rows) - len(changed))


def _is_same(row: ShiftRow, there: Any) -> bool:
    return (row.region, row.end, row.position) == (there["region"], there["ends_at"], there["position"])


def _read(table: Sequence[Row], rows_of: Callable[[Sequence[Row], list[Fault]], list[Any]]) -> list[Any]:
    faults: list[Fault] = []
    rows = rows_of(table, faults)
    _refuse(faults)
    return rows


def _foreign(staff: Staff, taken: Iterable[Any], known: Mapping[Any, Any]) -> set[Any]:
    """The names that are taken, but not by what the staff may change."""
    return {name for name in taken if name not in known or not known[name]["region"].startswith(staff.prefix)}


def _out_of_sight(
    staff: Staff, table: Sequence[Row], rows: Sequence[ContactRow | ShiftRow], foreign: Iterable[bool], name: str
) -> list[Fault]:
    """Rows of a region that the staff does not see, or that would take such a one's row over."""
    faults: list[Fault] = []
    for line, row, theirs in zip(table, rows, foreign, strict=True):
        if not row.region.startswith(staff.prefix):
            faults.append((line.number, "region", "not_yours", "the region lies outside yours"))
        elif theirs:
            faults.append((line.number, name, "not_yours", "the name is taken in another region"))
    return faults


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise bad_rows(sorted(faults))


def _counts(created: int, updated: int, unchanged: int) -> dict[str, int]:
    return {"created": created, "updated": updated, "unchanged": unchanged}
