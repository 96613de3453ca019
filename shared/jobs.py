"""Tasks that have no reason to end: one that fails begins again, and one that ended is told of."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from shared import telemetry
from shared.database import ending
from shared.errors import told

Job = Callable[[], Awaitable[None]]

SHOWN_S = 10.0  # so long whoever asks every few seconds sees that a job began again
PAUSE_S = 1.0


class Jobs:
    """The tasks of one process, for as long as it runs."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._failed: dict[str, tuple[float, str]] = {}
        self._tasks = [asyncio.create_task(self._forever(job), name=_name_of(job)) for job in jobs]

    def reasons(self) -> list[str]:
        """Which have ended, and which had to begin again lately."""
        lately = time.monotonic() - SHOWN_S
        failed = [f"{name} began again: {error}" for name, (at, error) in self._failed.items() if at > lately]
        return failed + [f"{task.get_name()} has ended" for task in self._tasks if task.done()]

    async def stop(self) -> None:
        """Ends them all, and waits for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forever(self, job: Job) -> None:
        name = _name_of(job)
        while True:
            try:
                await job()
                self._failed[name] = time.monotonic(), "it returned"
                telemetry.log.error("job_returned", job=name)
            except (Exception, asyncio.CancelledError) as error:
                if ending(error):
                    raise
                self._failed[name] = time.monotonic(), told(error)
                telemetry.log.exception("job_failed", job=name, error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)


def _name_of(job: Job) -> str:
    return str(getattr(job, "__qualname__", job))
