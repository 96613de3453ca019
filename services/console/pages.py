"""Pages as people read them: one template, in their language, whole or only the block that asks for itself again."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from services.console import words
from services.console.guard import own_origin
from services.console.visitors import Visitor, choices
from shared.vocabulary import CaseState, Industry, Level

RESELECT: Final = "HX-Reselect"
"""On an answer that is a whole page, its visitor's own, from which the browser takes an element."""
_ID: Final = re.compile(r"[A-Za-z][\w-]{0,63}", re.ASCII)
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
STATIC: Final = Path(str(files("services.console") / "static"))
SHAPES: Final = {"red": "▲", "orange": "◆", "yellow": "■", "blue": "●"}


class Static(StaticFiles):
    """Files that a page names with their hash, so that a browser may keep them for good."""

    def file_response(self, full_path: Any, *args: Any, **more: Any) -> Response:
        answer = super().file_response(full_path, *args, **more)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


@cache
def static_url(name: str) -> str:
    """Where a file of static/ is, with its hash, so that a changed file is another address."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


@cache
def translations(locale: str) -> Translations:
    """A locale's catalogue, read from its .po file."""
    with (files("services.console") / "texts" / f"{locale}.po").open("rb") as source:
        catalogue = read_po(source, locale=locale)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@cache
def environment(locale: str) -> Environment:
    """The templates in one language; every text that is put in is escaped."""
    env = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    catalogue = translations(locale)
    env.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    env.filters |= {"moment": _moment, "day": _day, "clock": _clock, "number": _number}
    env.globals |= {
        "locale": locale,
        "static": static_url,
        "word": lambda kind, value: catalogue.gettext(english) if (english := words.english(kind, value)) else "",
        "words": words.WORDS,
        "region_name": lambda code: words.region_name(code, locale),
        "shapes": SHAPES,
        "levels": [str(each) for each in Level],
        "states": [str(each) for each in CaseState],
        "industries": [str(each) for each in Industry],
    }
    env.globals["m"] = env.get_template("macros.html").module
    return env


def page(
    request: Request,
    visitor: Visitor | None,
    name: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """The whole page, or where htmx asks for one element by its id the template's block of that name."""
    chosen = choices(request)
    locale = visitor.locale if visitor else chosen["locale"]
    template = environment(locale).get_template(name)
    values = {
        "request": request,
        "visitor": visitor,
        "status": status,
        "path": request.url.path,
        "query": request.query_params,
        "origin": own_origin(request.scope, request.app.state.service.settings.console_origin) + "/",
        "here": lambda **changes: here(request, **changes),
        "theme": visitor.theme if visitor else chosen["theme"],
        "may": lambda right: visitor is not None and visitor.staff.may(right),
        **context,
    }
    block, said = block_asked(request), {"Vary": "HX-Request, HX-Target", **(headers or {})}
    if block in template.blocks:
        html = "".join(template.blocks[block](template.new_context(values)))
    else:
        html = template.render(values)
        if block:  # an element that a parent template has: the browser takes it out of the whole page
            said |= {RESELECT: f"#{request.headers['hx-target']}", "HX-Reswap": "outerHTML"}
    return HTMLResponse(html, status, said)


def block_asked(request: Request) -> str:
    """The block that htmx asks for, which has the name of the element's id; empty for a whole page."""
    asked = request.headers.get("hx-target", "") if "hx-request" in request.headers else ""
    return asked.replace("-", "_") if _ID.fullmatch(asked) else ""


def text(visitor: Visitor, english: str, **values: Any) -> str:
    """A sentence in the visitor's language."""
    said = translations(visitor.locale).gettext(english)
    return said % values if values else said


def here(request: Request, **changes: Any) -> str:
    """This page's address with some of its parameters changed; None or '' leaves one out."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changes and value]
    added = [
        (name, each)
        for name, value in changes.items()
        for each in (value if isinstance(value, list | tuple) else (value,))
        if each not in (None, "")
    ]
    query = urlencode(kept + added)
    return request.url.path + (f"?{query}" if query else "")


def _local(value: str | datetime) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(SHANGHAI)


def _moment(value: str | datetime | None) -> str:
    """Day and time in Asia/Shanghai, to the second."""
    return _local(value).strftime("%Y-%m-%d %H:%M:%S") if value else "—"


def _day(value: str | datetime | None) -> str:
    return _local(value).strftime("%Y-%m-%d") if value else "—"


def _clock(value: str | datetime | None) -> str:
    return _local(value).strftime("%m-%d %H:%M") if value else "—"


def _number(value: float | None) -> str:
    """A measured value as short as it can be said exactly enough to compare."""
    return "—" if value is None else f"{value:.6g}"
