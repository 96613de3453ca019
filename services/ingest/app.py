"""Puts ingest together."""

from services.ingest import handlers, routes
from services.ingest.doors.credentials import Credentials
from services.ingest.doors.http import Door
from shared.service import Service
from shared.settings import Settings

TAKINGS = (handlers.raise_and_clear_alarms,)


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    credentials = Credentials(settings.postgres_ask, settings.rate_limit)
    service = Service(
        "ingest", settings, takings=TAKINGS, routes=routes.add, tasks=lambda _service: [credentials.listen]
    )
    credentials.ask = lambda: service.ask
    service.app.state.door = Door(settings, service.producer, credentials)
    return service
