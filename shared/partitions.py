"""What a process knows of a partition that it reads: where it stands, and when it must not go on."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aiokafka import ConsumerRecord

from shared.batches import fingerprint

POISON_COUNT, POISON_SHARE, POISON_WINDOW = 20, 0.05, 1000


class TooPoisonous(Exception):
    """So many records are refused that the fault is likelier ours than theirs."""


class WrongLog(Exception):
    """The log is not the one that the position counts in."""


class State(StrEnum):
    """Of a partition in this process."""

    CLOSED = "closed"  # not read until its position is known
    OPEN = "open"
    STOPPED = "stopped"  # a person must look


@dataclass
class Partition:
    """One assigned partition."""

    state: State = State.CLOSED
    expected: int = -1
    """The offset that must come next; -1 until the position is known."""
    verify: bytes | None = None
    """Fingerprint that the record before `expected` must have; it is read first, and dropped."""
    hole: tuple[int, int] | None = None
    """A gap in the offsets that was met once."""
    retry_at: float = 0.0
    failures: int = 0
    reason: str | None = None
    for_good: bool = False
    refused: deque[bool] = field(default_factory=lambda: deque(maxlen=POISON_WINDOW))
    delivered_at: float = field(default_factory=time.monotonic)

    def open(self, expected: int, verify: bytes | None) -> None:
        """Ready to take records from `expected` on."""
        if self.state is State.STOPPED:
            self.refused.clear()  # a person looked: without a new count the next refusal would stop it again
        self.state, self.expected, self.verify = State.OPEN, expected, verify
        self.reason, self.delivered_at = None, time.monotonic()

    def close(self) -> None:
        """Takes nothing until it is opened; a stopped one stays stopped."""
        if self.state is State.OPEN:
            self.state = State.CLOSED

    def stop(self, reason: str, *, for_good: bool = False) -> None:
        """Takes nothing until a person looked; `for_good` when looking does not help, for the log is another."""
        self.state, self.reason, self.for_good = State.STOPPED, reason, for_good

    def failed(self, reason: str | None, *, at_once: bool) -> None:
        """A batch did not commit; the next try waits twice as long, up to five seconds."""
        self.failures += 1
        pause = 0.0 if at_once and self.failures < 3 else min(0.05 * 2**self.failures, 5.0)
        self.retry_at = time.monotonic() + pause
        self.reason = reason
        self.close()

    def moved(self, following: int, refused: Sequence[bool]) -> None:
        """A batch committed."""
        self.expected, self.failures, self.hole = following, 0, None
        self.refused.extend(refused)

    def usable(self, found: list[ConsumerRecord], *, gaps_are_normal: bool) -> list[ConsumerRecord]:
        """What of the delivered records may be taken: contiguous from `expected`.

        Empty and closed when they begin elsewhere (they are read again), WrongLog when that cannot help."""
        self.delivered_at = time.monotonic()
        found = self._verified(found)
        if not found or gaps_are_normal or self._whole(found):
            return found
        for place, record in enumerate(found):
            wanted = self.expected + place
            if record.offset != wanted:
                hole = (wanted, int(record.offset))
                if self.hole == hole and hole[1] > hole[0]:
                    raise WrongLog(f"records {hole[0]} to {hole[1] - 1} are missing from the log")
                self.hole = hole
                if place == 0:
                    self.close()
                return found[:place]  # what stands before a hole is taken; the next batch begins at it
        return found

    def _whole(self, found: Sequence[ConsumerRecord]) -> bool:
        first, last = found[0].offset, found[-1].offset
        return bool(first == self.expected and last - first == len(found) - 1)

    def _verified(self, found: list[ConsumerRecord]) -> list[ConsumerRecord]:
        wanted, self.verify = self.verify, None
        if wanted is None or found[0].offset != self.expected - 1:
            return found
        if fingerprint(found[0]) != wanted:
            raise WrongLog(
                f"the record at offset {self.expected - 1} is not the one that was read there: "
                "the broker was restored or the topic was made again"
            )
        return found[1:]

    def judge(self, bad: int, size: int, last: str) -> None:
        """Raises TooPoisonous: a bad deploy must not drain a topic into the dead letters."""
        count = sum(self.refused) + bad
        seen = min(len(self.refused) + size, POISON_WINDOW)
        if bad and count > POISON_COUNT and count > POISON_SHARE * seen:
            raise TooPoisonous(f"{count} of the last {seen} records were refused, the last with: {last[:300]}")
