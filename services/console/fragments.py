"""A part of a page that many ask for at once is made once a second for all who see the same."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.console.pages import RESELECT, block_asked
from services.console.visitors import Visitor

KEPT_S: Final = 1.0
"""Less than a page waits for its last wake, so that what it is woken for is not answered from before."""

Key = tuple[Any, ...]
Make = Callable[[], Awaitable[Response]]


class Fragments:
    """What was made in the last second, by who may see it and in which language."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[float, asyncio.Task[Response]]] = {}

    async def once(self, request: Request, visitor: Visitor, make: Make, kept: float = KEPT_S) -> Response:
        """What `make` answers, shared where the page asks for one of its parts; it must not depend on the name."""
        block = block_asked(request)
        if not block:
            return await make()
        staff = visitor.staff
        key = (staff.role, staff.region, staff.enterprise, visitor.locale, block, str(request.url))
        now = time.monotonic()
        found = self._kept.get(key)
        first = found is None or now - found[0] > kept or _failed(found[1])
        if first:
            self._kept = {each: (at, task) for each, (at, task) in self._kept.items() if now - at <= 60.0}
            found = self._kept[key] = (now, asyncio.ensure_future(make()))
        assert found is not None
        made = await asyncio.shield(found[1])
        if RESELECT in made.headers:  # the whole page after all, and nobody else's
            return made if first else await make()
        return HTMLResponse(bytes(made.body), made.status_code, {"Vary": made.headers.get("Vary", "")})

    def forget(self) -> None:
        """Somebody has changed something here, and wants to see it."""
        self._kept.clear()


def _failed(task: asyncio.Task[Response]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
