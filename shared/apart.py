"""What fails by its own fault is found among its like and stands aside; the rest is done."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from shared import faults
from shared.database import Connection, Kind, kind_of

Item = TypeVar("Item")
Made = TypeVar("Made")


async def apart(
    db: Connection, items: Sequence[Item], deal: Callable[[Connection, Sequence[Item]], Awaitable[Made]]
) -> tuple[list[Made], list[tuple[Item, Exception]]]:
    """Deals with the items together, or else by halves, in savepoints of the transaction of `db`.

    Gives what each part that went through made, and the items that failed by their own fault. Raises what passes or is
    the schema's fault: then nothing is done."""
    try:
        async with db.transaction():
            return [await deal(db, items)], []
    except Exception as error:
        if not items or kind_of(error) is not Kind.DATA or isinstance(error, faults.Injected):
            raise
        if len(items) == 1:
            return [], [(items[0], error)]
    half = len(items) // 2
    made, failed = await apart(db, items[:half], deal)
    more, others = await apart(db, items[half:], deal)
    return made + more, failed + others
