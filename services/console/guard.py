"""Every change comes from a page of ours, and every answer tells the browser how little it may do with it."""

from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problems import Problem

CONTENT: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Where a route says one of them itself, its own word stands."""
COOKIE: Final = "fengsui_session"
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses changes that another site's page sent, and sets the headers of every answer, failures too."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app, self._origin = app, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if not self._ours(scope):
            refusal = Problem(403, "foreign_origin", "a change is taken only from the console's own pages")
            await refusal.response()(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        except Exception as error:
            answer: Any = scope["app"].exception_handlers.get(Exception)
            if begun or answer is None:
                raise
            response = await answer(Request(scope, receive), error)
            await response(scope, receive, guarded)

    def _ours(self, scope: Scope) -> bool:
        """A browser says where a change comes from; what carries a token of its own is no browser's doing."""
        headers = Headers(scope=scope)
        if scope["method"] in _HARMLESS:
            return True
        bearer = headers.get("authorization", "").lower().startswith("bearer ")
        if bearer and COOKIE not in headers.get("cookie", ""):
            return True
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site") == "same-origin"
        return origin == own_origin(scope, self._origin)


def own_origin(scope: Scope, configured: str) -> str:
    """Scheme, host and port at which this request reached us, or at which it should have."""
    return (configured or f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}").rstrip("/").lower()
