"""Puts ingest together."""

from fastapi import FastAPI

from services.ingest import handlers, routes
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
    service = Service("ingest", settings, takings=TAKINGS, routes=add, tasks=lambda _service: [credentials.listen])
    credentials.ask = lambda: service.ask
    service.app.state.door = http.Door(settings, service.producer, credentials)
    return service
