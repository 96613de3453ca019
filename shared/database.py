"""PostgreSQL as the services use it: pools for questions, single lines for work, errors by kind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

# A session that hangs inside a transaction is cut, so that a frozen process cannot hold its locks. None keeps a plan:
# it would be of the day on which its tables were small, when to read all of them was cheap, and go on so (decision 15).
_SESSION = {
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "30s",
    "timezone": "UTC",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
}
_WORK = {"enable_seqscan": "off"}


class Kind(StrEnum):
    """What an error means for the batch that met it."""

    PASSING = "passing"  # wait and try again
    DATA = "data"  # one record is to blame
    BROKEN = "broken"  # the schema or the server does not fit the code: a person is needed


def kind_of(error: BaseException) -> Kind:
    """Sorts by SQLSTATE class: 21, 22, 23 and 54 are data, 42, 0A and XX are broken, other states pass."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state[:2] in {"21", "22", "23", "54"}:
            return Kind.DATA
        return Kind.BROKEN if state[:2] in {"42", "XX", "0A"} else Kind.PASSING
    if isinstance(error, asyncpg.DataError):
        return Kind.DATA
    lost = asyncpg.InterfaceError | asyncpg.InternalClientError  # the client's own, when a session was cut
    if isinstance(error, lost | OSError | TimeoutError | EOFError | MemoryError | asyncio.CancelledError):
        return Kind.PASSING
    return Kind.DATA


def ending(error: BaseException) -> bool:
    """Whether this task itself is told to end. A library below may cancel what we only waited for: that passes."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def _prepare(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
            schema="pg_catalog",
        )


async def connect(dsn: str, name: str, **session: str) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection of its own, for one task."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        dsn,
        timeout=10,
        command_timeout=30,
        server_settings={**_SESSION, **_WORK, "application_name": name, **session},
    )
    await _prepare(connection)
    return connection


async def pool(dsn: str, name: str, size: int = 8) -> Pool:
    """Connections for questions over HTTP; opened when first needed.

    A question is planned for its filters each time: a plan for any filters would use no index of a region."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=10,
        command_timeout=30,
        init=_prepare,
        server_settings={**_SESSION, "application_name": name},
    )


class Line:
    """A connection that one task owns and that is made anew after it failed."""

    def __init__(self, dsn: str, name: str, **session: str) -> None:
        self._dsn, self._name, self._session = dsn, name, session
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def get(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The open connection; raises what connecting raises."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, self._name, **self._session)
        return self._connection

    def drop(self) -> None:
        """Cuts the connection: after an error its state is not to be trusted."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Says goodbye, but waits for no one."""
        if self._connection is not None:
            with suppress(Exception):
                await asyncio.wait_for(self._connection.close(), 2)
            self._connection = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """A transaction; when it fails for more than the data's sake the connection is dropped."""
        connection = await self.get()
        try:
            async with connection.transaction():
                yield connection
        except BaseException as error:
            if kind_of(error) is not Kind.DATA:
                self.drop()
            raise
