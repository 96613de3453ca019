"""What only the database or the disk knows, as gauges: looked at every five seconds at most, beside the work."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable

from shared import telemetry
from shared.database import Connection, Line
from shared.settings import Settings
from shared.statements import statements

_SQL = statements("shared")
DATABASE_STATE = _SQL["database_state"]
AUDIT_UNSAID = _SQL["audit_unsaid"]

EVERY_S, SELDOM_S = 5.0, 60.0
SHARE = 0.02  # of the time may be spent on looking: with a million open cases a look takes a second

Look = Callable[[Connection], Awaitable[None]]


async def nothing_more(_db: Connection) -> None:
    """The look of a service that has no gauges of its own."""


class Gauges:
    """Keeps the gauges of one process; those from the database are the same in every replica of a service."""

    def __init__(self, service: str, settings: Settings, own: Look) -> None:
        self._home, self._own = settings.home, own
        self._line = Line(settings.postgres_work, f"{service}.gauges")

    async def run(self) -> None:
        """Until cancelled; while it fails the gauges stand still, which `fengsui_gauges_timestamp_seconds` shows."""
        try:
            while True:
                started = time.monotonic()
                try:
                    self._look_at_disk()
                    await self._look_at_database(await self._line.get())
                    telemetry.GAUGES_AT.set_to_current_time()
                except Exception as error:
                    telemetry.log.warning("gauges_failed", error=type(error).__name__, detail=str(error)[:300])
                    self._line.drop()
                await asyncio.sleep(min(SELDOM_S, max(EVERY_S, (time.monotonic() - started) / SHARE)))
        finally:
            await self._line.close()

    def _look_at_disk(self) -> None:
        if self._home.exists():
            usage = shutil.disk_usage(self._home)
            telemetry.HOME_FREE.set(usage.free)
            telemetry.HOME_SIZE.set(usage.total)

    async def _look_at_database(self, db: Connection) -> None:
        started = time.perf_counter()
        state = await db.fetchrow(DATABASE_STATE)
        telemetry.DATABASE_SECONDS.observe(time.perf_counter() - started)
        assert state is not None
        telemetry.DATABASE_BYTES.set(state["bytes"])
        telemetry.DATABASE_CONNECTIONS.set(state["connections"])
        telemetry.DATABASE_CONNECTIONS_MOST.set(state["most"])
        telemetry.DATABASE_XID_AGE.set(state["xid_age"])
        telemetry.AUDIT_UNSAID.set(await db.fetchval(AUDIT_UNSAID))
        await self._own(db)
