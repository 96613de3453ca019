"""Who is logged in stands in the database, so any replica knows it, and each hears at once when it ends."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Final

import asyncpg

from services.console import store
from services.console.domain.accounts import Account
from services.console.domain.sessions import Limits, Session
from shared import telemetry
from shared.database import Connection, Line
from shared.service import Service
from shared.sight import whole

CHANNEL: Final = "fengsui_sessions"
SIGN_IN: Final = timedelta(minutes=10)
"""How long a login at a provider may take."""


def key_of(id: str) -> bytes:
    """How the table knows a session: the id itself is only in the browser."""
    return sha256(id.encode("utf-8", "surrogatepass")).digest()


class Sessions:
    """The sessions of all replicas."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._woken: set[asyncio.Event] = set()
        self.limits = Limits(
            timedelta(minutes=service.settings.session_idle_minutes), timedelta(hours=service.settings.session_hours)
        )

    async def of(self, id: str, *, used: bool) -> Session | None:
        """The session of an id, if it holds; `used` when a person asks, and not a page that asks by itself."""
        found = await self._look(key_of(id))
        if found is not None and found[1] and used:
            async with whole(self._service.ask, readonly=False) as db:
                await db.execute(store.USE_SESSION, found[0].key)
        return found[0] if found else None

    async def still_holds(self, session: bytes) -> bool:
        """Whether a session has not ended meanwhile."""
        return await self._look(session) is not None

    async def _look(self, key: bytes) -> tuple[Session, bool] | None:
        async with whole(self._service.ask) as db:
            found = await store.session(db, key)
        if found is None or not found[0].holds(found[1], self.limits):
            return None
        return found[0], found[0].unsaved(found[1])

    async def begin(self, db: Connection, account: Account, version: int, address: str, agent: str) -> str:
        """A new session's id, which nobody has had before."""
        id = secrets.token_urlsafe(32)
        await db.execute(store.OPEN_SESSION, key_of(id), account.name, version, address, _shown(agent))
        return id

    async def prune(self, db: Connection) -> int:
        """Forgets sessions that ended, logins that failed long ago, and those that never came back."""
        return await store.prune(db, self.limits.idle, self.limits.whole, SIGN_IN)

    # Hearing that some ended

    @contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever some session may have ended; the holder clears it and asks `still_holds`."""
        event = asyncio.Event()
        self._woken.add(event)
        try:
            yield event
        finally:
            self._woken.discard(event)

    async def listen(self) -> None:
        """Until cancelled; when the line breaks every watcher looks for itself."""
        line = Line(self._service.settings.postgres_ask, "console.sessions")
        try:
            while True:
                try:
                    db = await line.get()
                    lost = asyncio.Event()
                    db.add_termination_listener(lambda _db, lost=lost: lost.set())
                    await db.add_listener(CHANNEL, lambda *_: self._wake())
                    self._wake()
                    await lost.wait()
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                    telemetry.log.warning("sessions_not_heard", error=type(error).__name__)
                    await asyncio.sleep(1)
                finally:
                    line.drop()
                    self._wake()
        finally:
            await line.close()

    def _wake(self) -> None:
        for event in self._woken:
            event.set()


def _shown(agent: str) -> str:
    """What a browser says of itself, bounded and without what a page could stumble over."""
    return "".join(each for each in agent if each.isprintable())[:200]
