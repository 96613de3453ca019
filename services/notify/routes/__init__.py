"""notify over HTTP: what was told, who is on duty, and the registry of both."""

from fastapi import FastAPI

from services.notify.routes import duty, notifications, registry


def add(app: FastAPI) -> None:
    """Puts the routes on the service's application."""
    for part in (notifications, duty, registry):
        app.include_router(part.router)
