"""The stream says only that something changed; it ends with the session, and is silent about what nobody may see."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import StreamingResponse

from services.console.sessions import Sessions
from services.console.stream import Wakes
from services.console.visitors import Visitor, visitor_with

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Visitor, Depends(visitor_with("read"))]

BREATH_S: Final = 15.0
SESSION_S: Final = 5.0
TICK_S: Final = 1.0
"""A service that stops must not wait for its streams."""


@router.get("/stream")
async def stream(request: Request, visitor: Viewer) -> StreamingResponse:
    """`changed` with the topics of what changed in sight; `bus` with lost or back."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, visitor), media_type="text/event-stream", headers=headers)


async def _events(request: Request, visitor: Visitor) -> AsyncIterator[str]:
    sessions: Sessions = request.app.state.sessions
    wakes: Wakes = request.app.state.wakes
    service = request.app.state.service
    with sessions.watch() as ended, wakes.page(visitor.staff) as page:
        hears, breathed, asked = True, time.monotonic(), float("-inf")
        yield "retry: 1000\n\n"
        while not service.stopping:
            now = time.monotonic()
            if ended.is_set() or now - asked >= SESSION_S:
                ended.clear()
                if not await sessions.still_holds(visitor.session):
                    return
                asked = now
            if hears != wakes.ear.hears:
                hears = wakes.ear.hears
                yield f"event: bus\ndata: {'back' if hears else 'lost'}\n\n"
            if topics := page.pace.take(now):
                breathed = now
                yield f"event: changed\ndata: {' '.join(topics)}\n\n"
            elif now - breathed >= BREATH_S:
                breathed = now
                yield ": breath\n\n"
            page.stirred.clear()
            due = page.pace.due()
            await _first(TICK_S if due is None else min(TICK_S, due - time.monotonic()), ended, page.stirred)


async def _first(seconds: float, *events: asyncio.Event) -> None:
    """Waits until one of the events is set, or for so long; never less than a moment, for changes come in floods."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=max(0.05, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def add(app: FastAPI) -> None:
    """Puts the stream on the console."""
    app.include_router(router)
