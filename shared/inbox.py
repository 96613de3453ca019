"""An event is taken in once, however often Kafka delivers it; its row is this service's verdict on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.database import Connection
from shared.events.event import Event, Origin, origin_id
from shared.statements import statements

_SQL = statements("shared")
TAKE_IN = _SQL["take_in"]
HOLD = _SQL["hold"]


@dataclass(frozen=True, slots=True)
class Taken:
    """Ids of the batch by what the inbox says of them."""

    new: frozenset[UUID]
    reused: frozenset[UUID]
    """Known, but with other content."""
    digests: Mapping[UUID, str | None]
    """With which each id was taken in."""


def origin_of(event: Event) -> UUID | None:
    """The name by which reconcile finds what a push became."""
    if event.pushid is not None:
        return origin_id(event.source, event.pushid)
    origin: Origin | None = getattr(getattr(event, "data", None), "event", None)
    return origin_id(origin.source, origin.id) if origin else None


async def take_in(db: Connection, events: Sequence[Event]) -> Taken:
    """Takes in ids that are distinct within the batch."""
    digests = {event.id: event.digest and bytes.fromhex(event.digest) for event in events}
    rows = await db.fetch(TAKE_IN, list(digests), list(digests.values()), [origin_of(event) for event in events])
    new = frozenset(row["id"] for row in rows if row["new"])
    reused = frozenset(
        row["id"]
        for row in rows
        if not row["new"] and row["digest"] and (ours := digests[row["id"]]) and row["digest"] != ours
    )
    known = {row["id"]: row["digest"] and row["digest"].hex() for row in rows if not row["new"]}
    return Taken(new, reused, {event.id: event.digest for event in events} | known)


async def hold(db: Connection, held: Mapping[UUID, str]) -> None:
    """Marks events that have no effect here, each with the reason."""
    if held:
        await db.execute(HOLD, list(held), list(held.values()))
