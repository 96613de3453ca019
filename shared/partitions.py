"""What a process knows of a partition that it reads: where it stands, and when it must not go on."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiokafka import ConsumerRecord

from shared.batches import fingerprint
from shared.log_identity import LogIdentity

POISON_COUNT, POISON_SHARE, POISON_WINDOW = 20, 0.05, 1000


class TooPoisonous(Exception):
    """So many records are refused that the fault is likelier ours than theirs."""


class Fault(StrEnum):
    """What a person must look at before a partition goes on."""

    REFUSED = "refused"  # too many of its records: they or we are at fault
    ANOTHER_LOG = "another_log"  # the topic was made again, or this is another cluster
    SHORTER = "shorter"  # the log ends before the position
    OTHER_RECORD = "other_record"  # another record stands where the last one was read
    HOLE = "hole"  # records are missing from the log
    PARTITIONS = "partitions"  # the topic has another number of them than it is declared with


class WrongLog(Exception):
    """The log is not the one that the position counts in."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


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
    fault: Fault = Fault.REFUSED
    """Of a stopped one."""
    refused: deque[bool] = field(default_factory=lambda: deque(maxlen=POISON_WINDOW))
    delivered_at: float = field(default_factory=time.monotonic)

    def open(self, expected: int, verify: bytes | None) -> None:
        """Ready to take records from `expected` on."""
        if self.state is State.STOPPED:
            # A person looked: without a new count, or with the hole known, it would stop again at once.
            self.refused.clear()
            self.hole = None
        self.state, self.expected, self.verify = State.OPEN, expected, verify
        self.reason, self.delivered_at = None, time.monotonic()

    def close(self) -> None:
        """Takes nothing until it is opened; a stopped one stays stopped."""
        if self.state is State.OPEN:
            self.state = State.CLOSED

    def stop(self, reason: str, fault: Fault = Fault.REFUSED) -> None:
        """Takes nothing until a person looked."""
        self.state, self.reason, self.fault = State.STOPPED, reason, fault

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
                    raise WrongLog(Fault.HOLE, f"records {hole[0]} to {hole[1] - 1} are missing from the log")
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
                Fault.OTHER_RECORD,
                f"the record at offset {self.expected - 1} is not the one that was read there: "
                "the broker was restored or the topic was made again",
            )
        return found[1:]

    def judge(self, bad: int, size: int, last: str) -> None:
        """Raises TooPoisonous: a bad deploy must not drain a topic into the dead letters."""
        count = sum(self.refused) + bad
        seen = min(len(self.refused) + size, POISON_WINDOW)
        if bad and count > POISON_COUNT and count > POISON_SHARE * seen:
            raise TooPoisonous(f"{count} of the last {seen} records were refused, the last with: {last[:300]}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What it means to go on at an offset: so many records are read again at most, so many are never read."""

    offset: int
    again: int
    skipped: int
    first_skipped: int


def why_not(row: Mapping[str, Any], identity: LogIdentity, end: int, declared: int) -> tuple[Fault, str] | None:
    """Why a partition may not be read at its position, of which the log has so many partitions and ends there."""
    if (row["cluster"], row["topic_id"]) != (identity.cluster, identity.topic_id):
        return Fault.ANOTHER_LOG, "the topic was made again, or this is another cluster: its offsets mean nothing here"
    if row["next"] > end:
        return Fault.SHORTER, f"the log ends at {end}, but {row['next']} comes next: the broker was restored"
    if identity.partitions != declared:
        return Fault.PARTITIONS, f"the topic has {identity.partitions} partitions instead of {declared}"
    return (Fault(row["fault"] or Fault.REFUSED), row["stopped"]) if row["stopped"] else None


def choice(fault: Fault, following: int, first: int, end: int, offset: int) -> Choice:
    """What going on at `offset` means. Of a log that is not the one that was read, nothing counts as read."""
    read_until = max(first, following) if fault in {Fault.REFUSED, Fault.HOLE} else first
    again = max(0, read_until - offset) if fault in {Fault.REFUSED, Fault.HOLE} else end - offset
    return Choice(offset, again, max(0, offset - read_until), read_until)
