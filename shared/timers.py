"""What happens because time passed: rows with a due time, claimed and dealt with in one transaction."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared import faults, recovery, telemetry
from shared.database import Connection, Line
from shared.errors import told

LATE_S = 60.0  # a transaction is cut after thirty seconds, so that two in a row have failed

Step = Callable[[Connection], Awaitable[int]]


@dataclass(frozen=True)
class Timer:
    """A step that takes up to `batch` due rows (FOR UPDATE SKIP LOCKED) and says how many it took."""

    name: str
    every_s: float
    step: Step
    batch: int = 100
    vital: bool = False
    """Whether the service cannot do its job while this one fails."""
    in_recovery: bool = False
    """Whether it runs also while what came after a restored backup is read again."""


class Clockwork:
    """Runs one timer; any number of replicas may, for a row is taken by one transaction only."""

    def __init__(self, service: str, timer: Timer, dsn: str, committed: Callable[[], None]) -> None:
        self._timer, self._committed = timer, committed
        self._line = Line(dsn, f"{service}.{timer.name}")
        self._passed_at, self._fault = time.monotonic(), ""
        telemetry.TIMER_ROWS.labels(timer.name)
        telemetry.TIMER_FAILURES.labels(timer.name)

    def reason(self) -> str | None:
        """Why the service cannot do its job for this timer's sake."""
        silent = time.monotonic() - self._passed_at
        if not self._timer.vital or silent < LATE_S:
            return None
        return f"timer {self._timer.name}: no pass for {silent:.0f} s {self._fault}".rstrip()

    async def run(self) -> None:
        """Until cancelled; whatever fails is tried again at the next turn."""
        try:
            while True:
                taken = 0
                try:
                    taken = await self._turn()
                    self._passed_at, self._fault = time.monotonic(), ""
                except Exception as error:
                    self._fault = told(error)
                    telemetry.TIMER_FAILURES.labels(self._timer.name).inc()
                    telemetry.log.warning(
                        "timer_failed", timer=self._timer.name, error=type(error).__name__, detail=str(error)[:300]
                    )
                if taken < self._timer.batch:
                    await asyncio.sleep(self._timer.every_s)
        finally:
            await self._line.close()

    async def _turn(self) -> int:
        async with self._line.transaction() as db:
            if not self._timer.in_recovery and await recovery.under_way(db):
                return 0
            taken = await self._timer.step(db)
            faults.point("timer.before_commit")
        if taken:
            telemetry.TIMER_ROWS.labels(self._timer.name).inc(taken)
            self._committed()
        return taken
