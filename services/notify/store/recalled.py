"""What had been told before a restore, as rows."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.notify.store.rows import columns
from shared.database import Connection
from shared.events.notifications import NotificationChanged
from shared.statements import statements
from shared.vocabulary import NotificationKind

_SQL = statements("services.notify")
TAKE = _SQL["take_recalled"]
ADD_TOLD = _SQL["add_told"]
CORRECT_CASES = _SQL["correct_cases"]


async def take(db: Connection, limit: int) -> list[bytes]:
    """Some of the records, in the order of their cases; they are taken out."""
    return [row["body"] for row in await db.fetch(TAKE, limit)]


async def add_told(db: Connection, deliveries: Iterable[UUID]) -> None:
    """Messages that are not to be sent again."""
    await db.execute(ADD_TOLD, list(deliveries))


async def correct_cases(db: Connection, events: Sequence[NotificationChanged]) -> None:
    """When cases were first told of, and first answered."""
    rows = [
        (e.data.case, e.data.first_created_at, e.time if e.data.kind is NotificationKind.ACKNOWLEDGED else None)
        for e in events
    ]
    await db.execute(CORRECT_CASES, *columns(rows))
