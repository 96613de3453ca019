"""What this process knows by heart of enterprises' points: what each is judged by, and in which block it lies.

A row of eleven columns a point, and a look into every block of the enterprise, were most of what a reading cost.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.ingest import store
from services.ingest.domain.engine import Block, PointStates
from services.ingest.domain.limits import Limits
from services.ingest.store import Found
from shared.database import Connection

MOST_POINTS: Final = 200_000
"""At some 300 bytes each; beyond, all is asked for again."""

Points = Mapping[str, Set[str]]
"""By enterprise."""
_NO_LIMITS: Final = Limits()


@dataclass(slots=True)
class _Enterprise:
    """`limits` hold while the enterprise has this mark; `blocks` says where points were found last."""

    mark: UUID
    limits: dict[str, Limits] = field(default_factory=dict)
    blocks: dict[str, int] = field(default_factory=dict)


class Known:
    """Filled as batches ask; one at a time."""

    def __init__(self, most_points: int = MOST_POINTS) -> None:
        self._enterprises: dict[str, _Enterprise] = {}
        self._most, self._size = most_points, 0

    async def limits_of(self, db: Connection, points: Points) -> Mapping[str, Mapping[str, Limits]]:
        """By enterprise what at least these points are judged by, as the registry has it now."""
        if self._size > self._most:
            self._enterprises, self._size = {}, 0
        # The marks come first: limits that are newer than their mark are read again, older ones would stay.
        for code, mark in (await store.marks(db, points)).items():
            own = self._enterprises.setdefault(code, _Enterprise(mark))
            if own.mark != mark:
                own.mark, own.limits = mark, {}
        known = {code: self._enterprises[code].limits for code in points if code in self._enterprises}
        if asked := [(code, point) for code in known for point in points[code] - known[code].keys()]:
            found = await store.limits(db, asked)
            for code, point in asked:
                known[code][point] = found.get((code, point), _NO_LIMITS)
            self._size += len(asked)
        return known

    async def states_of(self, db: Connection, points: Points) -> dict[str, PointStates]:
        """By enterprise what the engine remembers of points, held for this transaction.

        Where a point was found last is a hint: one that does not lie there is looked for."""
        there = await store.blocks_at(db, self._hints(points))
        states = _states(points, there)
        if missing := [(code, point) for code in points for point in points[code] if point not in states[code]]:
            more = await store.blocks_holding(db, missing)
            states = _states(points, [*there, *more])
            for code, block in more:
                if own := self._enterprises.get(code):
                    own.blocks.update(dict.fromkeys(block.points, block.number))
        return states

    def _hints(self, points: Points) -> set[tuple[str, int]]:
        return {
            (code, own.blocks[point])
            for code in points
            if (own := self._enterprises.get(code))
            for point in points[code]
            if point in own.blocks
        }


def _states(points: Points, found: Iterable[Found]) -> dict[str, PointStates]:
    """Each block once, however often it was found."""
    blocks: dict[str, dict[int, Block]] = {code: {} for code in points}
    for code, block in found:
        blocks[code][block.number] = block
    return {code: PointStates(own.values()) for code, own in blocks.items()}
