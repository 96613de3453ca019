"""The audit trail over HTTP: read by who may, and handed out row by row to whoever proves the chain."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request

from shared.access import Staff, staff_with
from shared.moments import WrittenMoment
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.sight import sight
from shared.statements import statements

_SQL = statements("shared")
LIST = _SQL["list_audit"]
CHAIN = _SQL["audit_chain"]
HEAD = _SQL["audit_head"]
AT_ONCE: Final = 2000

AuditStaff = Annotated[Staff, Depends(staff_with("audit"))]
Asked = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
Seq = Annotated[int, Query(ge=0, lt=2**63)]


def trail(service: str) -> APIRouter:
    """The routes for one service."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"])

    @router.get("")
    async def list_audit(
        request: Request,
        staff: AuditStaff,
        actor: Asked = None,
        action: Asked = None,
        since: WrittenMoment | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Who changed what, newest first."""
        limit = capped(limit)
        after = since and since.isoformat(timespec="microseconds")
        filters = {"actor": actor, "action": action, "since": after}
        before = place_of(cursor, filters, 1)
        async with sight(request, staff) as db:
            rows = await db.fetch(LIST, actor, action, after, int(before[0]) if before else None, limit + 1)
        kept, following = page(rows, limit, ("seq",), filters)
        items = [
            {"service": service, "seq": row["seq"], "hash": row["hash"].hex()} | orjson.loads(row["body"])
            for row in kept
        ]
        return {"items": items, "next": following}

    @router.get("/chain")
    async def chain(
        request: Request, staff: AuditStaff, cursor: Seq = 0, limit: Annotated[int, Query(ge=1, le=AT_ONCE)] = 500
    ) -> dict[str, Any]:
        """The rows as they stand, oldest first, and the head that they should reach; `fengsui audit verify` asks."""
        async with sight(request, staff) as db:
            head = await db.fetchrow(HEAD)
            rows = await db.fetch(CHAIN, cursor, limit + 1)
        assert head is not None
        items = [
            {"seq": row["seq"], "prev": row["prev"].hex(), "hash": row["hash"].hex(), "body": row["body"]}
            for row in rows[:limit]
        ]
        return {
            "service": service,
            "items": items,
            "next": str(items[-1]["seq"]) if len(rows) > limit else None,
            "head": {"seq": head["seq"], "hash": head["hash"].hex()},
        }

    return router
