"""Puts the console together."""

import asyncio
from collections.abc import Sequence

from services.console import routes
from services.console.asking import Services
from services.console.sessions import Sessions
from services.console.stream import Wakes
from shared.database import Connection
from shared.service import Service, Task
from shared.settings import Settings
from shared.timers import Timer


def _tasks(service: Service) -> Sequence[Task]:
    sessions: Sessions = service.app.state.sessions
    services: Services = service.app.state.services

    async def let_go() -> None:
        """Holds the connections to the other services until the console ends."""
        try:
            await asyncio.Event().wait()
        finally:
            await services.close()

    wakes: Wakes = service.app.state.wakes
    return (sessions.listen, wakes.ear.run, let_go)


def build(settings: Settings) -> Service:
    """The service, not yet running."""

    async def prune(db: Connection) -> int:
        sessions: Sessions = service.app.state.sessions
        return await sessions.prune(db)

    timers = [Timer("prune_sessions", 60.0, prune, batch=1_000_000)]
    service = Service("console", settings, timers=timers, routes=routes.add, tasks=_tasks)
    return service
