"""Messages on their way: claimed and committed before the call, their answers kept after it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.notify.domain.notification import Outcome
from services.notify.store.rows import columns
from shared.database import Connection
from shared.statements import statements

_SQL = statements("services.notify")
CLAIM = _SQL["claim_deliveries"]
COUNT_WAITING = _SQL["count_waiting"]
PUT_OFF = _SQL["put_off_delivery"]
ADD_ATTEMPTS = _SQL["add_attempts"]
FORGET_MESSAGES = _SQL["forget_messages"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this process is to send now, for the `tries`-th time; the secrets are sealed."""

    id: UUID
    notification: UUID
    call: UUID
    contact: str
    message: str
    tries: int
    body: bytes
    lost: bool
    """Whether an earlier attempt has no known end."""
    webhook: str | None
    secret: bytes | None
    earlier_secret: bytes | None
    traceparent: str | None
    told: bool
    """Whether it had arrived before the database was restored."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages are on their way and how many calls nobody is left to answer, and how late the oldest are."""

    deliveries: int
    unanswered: int
    pending_s: float
    """Since the oldest notification that has not arrived."""
    late_s: float
    """Since the oldest call that is due to climb."""


async def claim(db: Connection, most: int, share: int, busy: Collection[str], slow: Collection[str]) -> list[Claim]:
    """What is due: of the busy contacts nothing, of the slow ones one message each, of others a share."""
    return [_claim_of(row) for row in await db.fetch(CLAIM, most, list(busy), list(slow), share)]


async def put_off(db: Connection, claimed: Claim) -> None:
    """Lets the lease of a message end later the more often it was tried: its answer cannot be kept."""
    await db.execute(PUT_OFF, claimed.id, claimed.tries)


async def add_attempts(db: Connection, channel: str, answers: Sequence[tuple[Claim, Outcome]]) -> None:
    """Keeps what a channel answered."""
    rows = [
        (c.id, c.tries, c.notification, c.message, channel, o.result.value, o.detail.replace("\x00", "␀"))
        for c, o in answers
    ]
    if rows:
        await db.execute(ADD_ATTEMPTS, *columns(rows))


async def forget(db: Connection, after: timedelta, limit: int) -> int:
    """Removes messages that came to their end so long ago, with their attempts; says how many."""
    return int((await db.execute(FORGET_MESSAGES, after, limit)).split()[-1])


async def waiting(db: Connection) -> Waiting:
    """What has not come to its end."""
    row = await db.fetchrow(COUNT_WAITING)
    assert row is not None
    return Waiting(*row)


def _claim_of(row: Any) -> Claim:
    fields = {name: row[name] for name in Claim.__dataclass_fields__ if name not in {"notification", "call"}}
    return Claim(**fields, notification=row["notification_id"], call=row["call_id"])
