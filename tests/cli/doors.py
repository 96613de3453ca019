"""Services that answer what a test tells them, on ports as a stack has them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.stack import free_base

OFFSETS = {"console": 0, "ingest": 1, "hazards": 2, "notify": 3, "reporting": 4}


@dataclass(frozen=True)
class Heard:
    """One request as it arrived."""

    service: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True)
class Says:
    """One answer."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Answer = Says | Callable[[Heard], Says | Awaitable[Says]]


@dataclass
class Doors:
    """What was asked, and what is answered: of several answers each once, the last for ever."""

    base: int
    heard: list[Heard] = field(default_factory=list)
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)

    def url(self, service: str | None = None) -> str:
        return f"http://127.0.0.1:{self.base + (OFFSETS[service] if service else 0)}"

    def say(self, service: str, path: str, *answers: Answer) -> None:
        self.answers[service, path] = list(answers)

    def to(self, path: str) -> list[Heard]:
        return [heard for heard in self.heard if heard.path == path]

    async def answer(self, heard: Heard) -> Says:
        self.heard.append(heard)
        planned = self.answers.get((heard.service, heard.path))
        if planned is None:
            return Says({"code": "not_found", "detail": "no such path"}, 404)
        chosen = planned.pop(0) if len(planned) > 1 else planned[0]
        said = chosen if isinstance(chosen, Says) else chosen(heard)
        return said if isinstance(said, Says) else await said


@contextmanager
def opened() -> Iterator[Doors]:
    """Doors of a thread of their own, for commands bring their own loop."""
    doors, loop = Doors(free_base()), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runners = asyncio.run_coroutine_threadsafe(_serve(doors), loop).result(10)
    try:
        yield doors
    finally:
        for runner in runners:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _serve(doors: Doors) -> list[web.AppRunner]:
    runners = []
    for service, offset in OFFSETS.items():

        async def handle(request: web.Request, service: str = service) -> web.Response:
            body = await request.read()
            heard = Heard(service, request.method, request.path, dict(request.query), dict(request.headers), body)
            said = await doors.answer(heard)
            kind = "application/problem+json" if said.status >= 400 else "application/json"
            raw = said.body if isinstance(said.body, bytes) else orjson.dumps(said.body)
            return web.Response(body=raw, status=said.status, headers=said.headers, content_type=kind)

        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", doors.base + offset).start()
        runners.append(runner)
    return runners
