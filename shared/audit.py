"""The audit trail (审计): who changed what, one chain of hashes a service, written in the change's own transaction."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from shared import outbox
from shared.access import Staff
from shared.database import Connection
from shared.events.audit import ChainHead, Head
from shared.events.event import NAMESPACE, derived_id
from shared.statements import statements
from shared.topics import AUDIT

_SQL = statements("shared")
APPEND = _SQL["append_audit"]
HEAD_TO_SAY = _SQL["audit_head_to_say"]

PROVINCE: Final = "220000"
LONGEST: Final = 200  # characters of a text that is kept as it is
MOST: Final = 20  # items of a list that are kept as they are


@dataclass(frozen=True, slots=True)
class Outsider:
    """Who acts without being staff: the operator at the machine, or a name that nobody has proved."""

    name: str
    role: str
    region: str = PROVINCE
    enterprise: str | None = None


async def record(
    db: Connection,
    actor: Staff | Outsider,
    action: str,
    subject: str,
    *,
    region: str | None = None,
    enterprise: str | None = None,
    **detail: Any,
) -> None:
    """Appends one row, as the last act of the change's transaction, for it holds the chain until the commit.

    `subject` is `kind/name`; `region` and `enterprise` are those of the thing changed, where it has any. Long texts
    and lists are kept as their digests; secrets are the caller's to leave out.
    """
    now: datetime = await db.fetchval("SELECT now()")
    body = {
        "at": now.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": _text(actor.name[:LONGEST]),
        "role": str(actor.role),
        "region": region or actor.region,
        "enterprise": enterprise or actor.enterprise,
        "action": action,
        "subject": subject,
        "detail": _short(detail),
    }
    await db.execute(APPEND, canonical(body).decode())


def canonical(body: Mapping[str, Any]) -> bytes:
    """The one way in which a body is written, so that its hash can be made again."""
    return orjson.dumps(body, default=str, option=orjson.OPT_SORT_KEYS)


def genesis(service: str) -> bytes:
    """What the first row of a service's chain follows."""
    return hashlib.sha256(f"fengsui audit of {service}".encode()).digest()


def link(prev: bytes, seq: int, body: str) -> bytes:
    """The hash of a row; the trigger of the table makes the same one."""
    return hashlib.sha256(prev + seq.to_bytes(8, "big") + body.encode()).digest()


async def anchor(db: Connection, service: str) -> int:
    """Says the chain's head on the bus when it has moved: what is cut off the table later is missed there."""
    row = await db.fetchrow(HEAD_TO_SAY)
    if row is None:
        return 0
    said = Head(service=service, seq=row["seq"], hash=row["hash"].hex())
    event = ChainHead(
        id=derived_id(NAMESPACE, f"audit/{service}/{said.hash}", said.seq),
        source=f"//fengsui/{service}",
        time=row["at"],
        region=PROVINCE,
        data=said,
    )
    await outbox.put(db, AUDIT, [event])
    return 1


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value) if len(value) <= LONGEST else {"characters": len(value), "sha256": _digest(value.encode())}
    if isinstance(value, Mapping):
        return {str(name): _short(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        if len(value) > MOST:
            return {"items": len(value), "sha256": _digest(orjson.dumps(value, default=str))}
        return [_short(each) for each in value]
    return value


def _text(value: str) -> str:
    return value.replace("\x00", "\N{SYMBOL FOR NULL}")  # PostgreSQL's jsonb has no NUL


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
