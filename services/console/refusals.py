"""A refusal is a page with a true word for whoever reads pages, and stays a problem in JSON for whoever does not."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from services.console import words
from services.console.asking import Away
from services.console.pages import environment, page, translations
from services.console.visitors import Stranger, Visitor, choices, show_login, visitor_of
from services.console.words import _
from shared.problems import Problem

Handler = Callable[[Request, Any], Response | Awaitable[Response]]

HEADINGS: Final[Mapping[int, str]] = {
    403: _("Not for you"),
    404: _("Nothing here"),
    413: _("Too large"),
    429: _("Too often"),
    500: _("Something failed here"),
    503: _("Not now"),
}
SENTENCES: Final[Mapping[int, str]] = {
    403: _("Your role may not do this."),
    404: _("There is nothing here that you can see."),
    405: _("This address is not asked in that way."),
    413: _("That is too large."),
    500: _("The request failed here; it is logged. Nothing is known to be lost."),
    502: _("Another part of the system does not answer now."),
    503: _("The database does not answer now: whether a change was made is unknown, look before you repeat it."),
}
_OTHERS: Final = (_("Not taken"), _("The request cannot be answered as it was put."))
_CODES: Final[Mapping[str, str]] = {
    "foreign_origin": _("A change is taken only from the console's own pages."),
    "busy": _("Too many people log in at this moment. Try again in a few seconds."),
    "file_missing": _("The file's record is here, but the file itself cannot be read now."),
}


def add_refusals(app: FastAPI) -> None:
    """Turns every refusal into a page where a person reads it."""
    app.add_exception_handler(Stranger, show_login)
    app.add_exception_handler(Away, _shown(_away))
    for kind in (Problem, RequestValidationError, HTTPException, asyncpg.DataError, Exception):
        app.add_exception_handler(kind, _shown(app.exception_handlers[kind]))


async def _away(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Away)
    return Problem(502, "service_away", f"{error.service} does not answer now").response()


def _shown(plain: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def shown(request: Request, error: Exception) -> Response:
        answered = plain(request, error)
        answer = answered if isinstance(answered, Response) else await answered
        part = "hx-request" in request.headers
        if not part and "text/html" not in request.headers.get("accept", ""):
            return answer
        kept = {name: value for name, value in answer.headers.items() if name not in {"content-type", "content-length"}}
        given: Any = orjson.loads(bytes(answer.body))
        heading, sentence = _said(answer.status_code, str(given.get("code", "")))
        visitor: Visitor | None = None
        with suppress(Exception):  # a page about a database that is away must not ask it
            visitor = await visitor_of(request)
        locale = choices(request)["locale"]
        say = translations(locale).gettext
        if part:
            macros: Any = environment(locale).globals["m"]
            return HTMLResponse(str(macros.problem(say(sentence))), answer.status_code, kept)
        said = {"heading": say(heading), "sentence": say(sentence)}
        return page(request, visitor, "error.html", answer.status_code, kept, **said)

    return shown


def _said(status: int, code: str) -> tuple[str, str]:
    known = words.WORDS["refusal"].get(code) or _CODES.get(code) or SENTENCES.get(status)
    return HEADINGS.get(status, _OTHERS[0]), known or _OTHERS[1]
