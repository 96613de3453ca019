"""Records that no handler could take, kept with the reason until a person decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import ConsumerRecord

from shared import telemetry
from shared.database import Connection
from shared.statements import statements

_SQL = statements("shared")
BURY = _SQL["bury"]

PAYLOAD_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record and why it is here. `reason` is one of telemetry.DEAD_REASONS."""

    record: ConsumerRecord
    reason: str
    detail: str
    event_id: UUID | None = None
    origin: UUID | None = None


async def bury(db: Connection, topic: str, dead: Sequence[DeadLetter]) -> None:
    """Keeps dead letters, in the transaction of their batch; bytes as bytes, for text cannot hold every one."""
    if not dead:
        return
    await db.execute(
        BURY,
        topic,
        [letter.record.partition for letter in dead],
        [letter.record.offset for letter in dead],
        [letter.record.key for letter in dead],
        [letter.record.value and letter.record.value[:PAYLOAD_LIMIT] for letter in dead],
        [len(letter.record.value or b"") for letter in dead],
        [letter.reason for letter in dead],
        [letter.detail.replace("\x00", "␀")[:2000] for letter in dead],
        [letter.event_id for letter in dead],
        [letter.origin for letter in dead],
    )


def count(topic: str, dead: Sequence[DeadLetter]) -> None:
    """Tells metrics and log, one by one, once they are committed."""
    for letter in dead:
        telemetry.DEAD_TOTAL.labels(topic, letter.reason).inc()
        telemetry.log.error(
            "dead_letter",
            topic=topic,
            partition=letter.record.partition,
            offset=letter.record.offset,
            reason=letter.reason,
            detail=letter.detail[:500],
            event=str(letter.event_id) if letter.event_id else None,
        )
