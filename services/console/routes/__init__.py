"""The console's pages, and what they all stand on: sessions, tokens, the other services, and the guard."""

from fastapi import FastAPI

from services.console.asking import Services, urls_of
from services.console.files import Files
from services.console.fragments import Fragments
from services.console.guard import Guard
from services.console.oidc import provider_of
from services.console.pages import STATIC, Static
from services.console.passwords import Passwords
from services.console.refusals import add_refusals
from services.console.routes import (
    account,
    accounts,
    board,
    cases,
    duty,
    evidence,
    keyring,
    letters,
    login,
    map,
    operations,
    provider,
    statistics,
    stream,
    trail,
)
from services.console.sessions import Sessions
from services.console.signing import Signer
from services.console.stream import Wakes
from shared.service import Service


def add(app: FastAPI) -> None:
    """Puts the pages on the console's application."""
    service: Service = app.state.service
    settings = service.settings
    app.state.sessions = Sessions(service)
    app.state.signer = Signer(settings.home)
    app.state.passwords = Passwords()
    app.state.files = Files(settings.home)
    app.state.services = Services(urls_of(settings))
    app.state.wakes = Wakes(settings.kafka)
    app.state.fragments = Fragments()
    app.state.provider = provider_of(settings)
    app.add_middleware(Guard, origin=settings.console_origin)
    app.mount("/static", Static(directory=STATIC), name="static")
    add_refusals(app)
    pages = (login, provider, account, accounts, evidence, stream, board, cases)
    for part in (*pages, map, statistics, duty, letters, keyring, trail, operations):
        part.add(app)
