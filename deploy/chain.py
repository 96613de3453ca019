"""Walks a service's audit chain, and names the first row that is not as it was written."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.audit import genesis, link
from shared.events.audit import Head

ALTERED: Final = "row {seq} was altered"
MOVED: Final = "row {seq} stands where another was written"
REWRITTEN: Final = "row {before} or row {seq} was rewritten: one does not follow the other"
REMOVED: Final = "{rows} removed"
ANOTHER: Final = "row {seq} is another than {witness} has: it was rewritten with all that follow"

HEAD: Final = "the service's own head"
ANCHOR: Final = "the anchor on Kafka"


class Walk:
    """One service's chain, row by row from the oldest; `fault` is the first that was found."""

    def __init__(self, service: str) -> None:
        self.rows = 0
        self.anchors = 0
        self.fault: str | None = None
        self._seq, self._hash = 0, genesis(service)
        self._witnesses: dict[int, list[tuple[str, str]]] = {}

    def expect(self, seq: int, hashed: str, witness: str) -> None:
        """Somebody else saw this row with this hash."""
        said = self._witnesses.setdefault(seq, [])
        if (hashed, witness) not in said:
            said.append((hashed, witness))

    def anchored(self, heads: Iterable[Head]) -> None:
        """What was said on the bus while the chain grew."""
        for head in heads:
            self.anchors += 1
            self.expect(head.seq, head.hash, ANCHOR)

    def take(self, row: Mapping[str, Any]) -> None:
        """The next row as the service has it."""
        if self.fault is None:
            self.rows += 1
            self.fault = self._fault(row)
            self._seq, self._hash = row["seq"], bytes.fromhex(row["hash"])

    def end(self) -> None:
        """There are no more rows: whatever was seen further on is gone."""
        if self.fault is None and (last := max(self._witnesses, default=0)) > self._seq:
            self.fault = REMOVED.format(rows=_rows(self._seq + 1, last))

    def _fault(self, row: Mapping[str, Any]) -> str | None:
        seq, prev = row["seq"], bytes.fromhex(row["prev"])
        if seq != self._seq + 1:
            return REMOVED.format(rows=_rows(self._seq + 1, seq - 1))
        fits, follows = link(prev, seq, row["body"]).hex() == row["hash"], prev == self._hash
        if not fits:
            return (ALTERED if follows else MOVED).format(seq=seq)
        if not follows:
            return REWRITTEN.format(before=seq - 1, seq=seq)
        for hashed, witness in self._witnesses.pop(seq, ()):
            if hashed != row["hash"]:
                return ANOTHER.format(seq=seq, witness=witness)
        return None


def _rows(first: int, last: int) -> str:
    return f"row {first} was" if first == last else f"rows {first} to {last} were"
