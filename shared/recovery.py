"""After a restore a service first reads again what came later, and takes no step of its own until it has.

Kafka goes on where the database went back: what others said is read again and has the same effects under the same ids.
What the service itself had said by a person's word or by the clock cannot be made again from what it hears; it is
`recalled` from the bus before the start (deploy/recall.py), and each service's `finish` makes of it what is left to do.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from uuid import UUID

from shared import telemetry
from shared.database import Connection
from shared.problems import Problem
from shared.statements import statements

_SQL = statements("shared")
UNDER_WAY = _SQL["recovery_under_way"]
REMAINS = _SQL["recovery_remains"]
RECALLED_OF = _SQL["recalled_of"]
SET_ASIDE = _SQL["set_aside"]
END = _SQL["end_recovery"]

Finish = Callable[[Connection], Awaitable[int]]
"""Does a part of what is left once all is read again, and says how much; 0 when nothing is left."""

UNTIL_THEN: Final = "the database was restored, and what came after the backup is being read again: try again soon"


async def under_way(db: Connection) -> bool:
    """Whether this service still reads again what came after its backup."""
    return bool(await db.fetchval(UNDER_WAY))


async def refuse(db: Connection) -> None:
    """A person's change must not stand before what was read again."""
    if await under_way(db):
        raise Problem(503, "recovering", UNTIL_THEN, headers={"Retry-After": "5"})


async def recalled(db: Connection, subjects: Iterable[UUID]) -> list[bytes]:
    """What the service had said of these cases, as records."""
    return [row["body"] for row in await db.fetch(RECALLED_OF, sorted(set(subjects)))]


async def set_aside(db: Connection, records: Iterable[tuple[UUID, UUID, bytes]]) -> None:
    """Keeps (id, case, record) until the recovery ends."""
    rows = list(records)
    await db.execute(SET_ASIDE, *([row[part] for row in rows] for part in range(3)))


async def turn(db: Connection, finish: Finish) -> int:
    """One look at how far it is; ends the recovery when all is read and nothing is left to do."""
    remains = await db.fetchrow(REMAINS)
    if remains is None or remains["partitions"] == 0:
        telemetry.RECOVERING.set(0)
        return 0
    telemetry.RECOVERING.set(1)
    if remains["records"]:
        return 0
    if done := await finish(db):
        return done
    await db.execute(END)
    telemetry.log.warning("recovered")
    telemetry.RECOVERING.set(0)
    return 0


async def nothing_left(_db: Connection) -> int:
    """For a service whose own words all follow from what it hears."""
    return 0
