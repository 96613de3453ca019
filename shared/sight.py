"""Whoever asks sees the rows of their own region and enterprise only: PostgreSQL bounds it, under every query."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Literal

from fastapi import Request

from shared.access import Staff
from shared.database import Connection, Pool

SEE: Final = "SELECT set_config('fengsui.region', $1, true), set_config('fengsui.enterprise', $2, true)"
EVERY: Final = "*"
PROVINCE: Final = "22"

Isolation = Literal["read_committed", "repeatable_read"]


def sight(
    request: Request, staff: Staff, isolation: Isolation = "read_committed"
) -> AbstractAsyncContextManager[Connection]:
    """A transaction in which there are no rows but those that the staff sees; of a GET it changes nothing."""
    return seeing(request.app.state.service.ask, staff, isolation, readonly=request.method == "GET")


def seeing(
    ask: Pool, staff: Staff, isolation: Isolation = "read_committed", *, readonly: bool = False
) -> AbstractAsyncContextManager[Connection]:
    """The same, where there is no request any more."""
    return _bounded(ask, staff.prefix, staff.enterprise or EVERY, isolation, readonly)


def whole(ask: Pool, *, readonly: bool = True) -> AbstractAsyncContextManager[Connection]:
    """Reads every row: for what must be known before it is known who asks; only a login writes so."""
    return _bounded(ask, PROVINCE, EVERY, "read_committed", readonly)


@asynccontextmanager
async def _bounded(
    ask: Pool, region: str, enterprise: str, isolation: Isolation, readonly: bool
) -> AsyncIterator[Connection]:
    async with ask.acquire() as db, db.transaction(isolation=isolation, readonly=readonly):
        await db.execute(SEE, region, enterprise)
        yield db
