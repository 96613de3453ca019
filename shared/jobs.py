"""Tasks that have no reason to end: one that fails begins again; one that ends for good ends the process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from shared import telemetry
from shared.database import ending
from shared.errors import told
from shared.giving_up import give_up

Job = Callable[[], Awaitable[None]]

SHOWN_S = 10.0  # so long whoever asks every few seconds sees that a job began again
PAUSE_S = 1.0


class Jobs:
    """The tasks of one process, for as long as it runs."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._failed: dict[str, tuple[float, str]] = {}
        self._stopping = False
        self._tasks = [asyncio.create_task(self._forever(job), name=_name_of(job)) for job in jobs]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def reasons(self) -> list[str]:
        """Which had to begin again lately."""
        lately = time.monotonic() - SHOWN_S
        return [f"{name} began again: {error}" for name, (at, error) in self._failed.items() if at > lately]

    async def stop(self) -> None:
        """Ends them all, and waits for them."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody told it to: it was cancelled from elsewhere, or failed while it told of a failure."""
        if not self._stopping:
            error = None if task.cancelled() else task.exception()
            give_up("job_ended", job=task.get_name(), error="cancelled" if error is None else told(error))

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
                reason = told(error)
                self._failed[name] = time.monotonic(), reason
                telemetry.log.exception("job_failed", job=name, error=reason)
            await asyncio.sleep(PAUSE_S)


def _name_of(job: Job) -> str:
    return str(getattr(job, "__qualname__", job))
