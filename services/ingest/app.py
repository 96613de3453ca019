"""Puts ingest together."""

from fastapi import FastAPI

from services.ingest import handlers, metrics, routes
from services.ingest.doors import http
from services.ingest.doors.credentials import Credentials
from shared.service import Service
from shared.settings import Settings

TAKINGS = (handlers.raise_and_clear_alarms,)


def add(app: FastAPI) -> None:
    """The door's routes and the staff's."""
    app.include_router(http.router)
    routes.add(app)


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    credentials = Credentials(settings.postgres_ask, settings.rate_limit)
    service = Service(
        "ingest",
        settings,
        takings=TAKINGS,
        routes=add,
        tasks=lambda _service: [credentials.listen],
        look=metrics.look,
    )
    credentials.ask = lambda: service.ask
    door = service.app.state.door = http.Door(settings, service.producer, credentials)
    for intake in service.intakes:
        intake.log_changed = door.memory.forget
    return service
