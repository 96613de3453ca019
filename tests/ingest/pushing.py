"""How a test pushes at the door: well, badly, and in ways that no HTTP client would."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from yarl import URL

from tests.stack import Stack, alarm, hazard, until

ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"
DATA = "application/json"

_numbers = itertools.count(1)


def fresh(prefix: str = "e") -> str:
    """An id that nobody pushed yet."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


@dataclass(frozen=True)
class Answer:
    """What the door said."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str | None:
        return self.body.get("code")

    @property
    def rejected(self) -> list[tuple[int, str]]:
        return [(each["index"], each["code"]) for each in self.body["rejected"]]


@dataclass(frozen=True)
class Plant:
    """A registered enterprise with the points T-1, T-2 and L-1 (which has limits), and its key."""

    stack: Stack
    uscc: str
    key: str

    async def post(self, raw: bytes, media: str | None = MANY, path: str = "/v1/events", **headers: str) -> Answer:
        """Posts bytes as they are; a header with an empty value is left out."""
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": media or ""}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in given.items() if value}
        skipped = ["Content-Type"] if not media else []
        url = self.stack.url("ingest", path)
        async with self.stack.session.post(url, data=raw, headers=kept, skip_auto_headers=skipped) as answer:
            return Answer(answer.status, await answer.json(content_type=None), answer.headers)

    async def push(self, *events: Any, **headers: str) -> Answer:
        """A batch of events."""
        return await self.post(orjson.dumps(list(events)), **headers)

    async def frame(self, body: Any) -> Answer:
        """A frame of readings."""
        return await self.post(orjson.dumps(body), DATA, "/v1/readings")

    async def effects(self, *ids: str) -> list[int]:
        """How many timeline rows each pushed id has."""
        rows = await self.stack.sql(
            "SELECT pushid, count(*) AS rows FROM hazards.timeline WHERE pushid = ANY($1) GROUP BY pushid", list(ids)
        )
        found = {row["pushid"]: row["rows"] for row in rows}
        return [found.get(pushed, 0) for pushed in ids]

    async def arrive(self, *ids: str) -> None:
        """Waits until each pushed id stands on a timeline, once."""
        await until(lambda: self.effects(*ids), lambda found: min(found) > 0)
        assert await self.effects(*ids) == [1] * len(ids)

    async def goes_on(self) -> str:
        """A good push is accepted within a second; its id."""
        pushed, began = fresh("good"), time.monotonic()
        answer = await self.push(hazard(pushed))
        took = time.monotonic() - began
        assert (answer.status, answer.body["accepted"]) == (202, 1), answer
        assert took < 1, took
        return pushed


def raw_alarm(pushed: str | None = None, time: str | None = None, **data: str) -> bytes:
    """An alarm with members of its data as raw JSON, for what no JSON library writes."""
    event = alarm(pushed or fresh(), data={"point": "T-1"})
    if time is not None:
        event["time"] = orjson.Fragment(time)
    event["data"] |= {name: orjson.Fragment(text) for name, text in data.items()}
    return orjson.dumps(event)


def batch(*items: bytes) -> bytes:
    """A batch of raw items."""
    return b"[" + b",".join(items) + b"]"


class Line:
    """A bare connection to the door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *pieces: bytes) -> None:
        """Sends; a door that has closed does not mind."""
        for piece in pieces:
            self._writer.write(piece)
            try:
                await self._writer.drain()
            except OSError:
                return

    def end(self) -> None:
        """Says that nothing more will come."""
        self._writer.write_eof()

    async def rest(self, timeout: float = 10) -> bytes:
        """All that the door says until it closes the connection."""
        heard = b""
        async with asyncio.timeout(timeout):
            try:
                while piece := await self._reader.read(65536):
                    heard += piece
            except ConnectionError:
                pass
        return heard


@asynccontextmanager
async def line(plant: Plant) -> AsyncIterator[Line]:
    """A bare connection for as long as the context lasts."""
    url = URL(plant.stack.url("ingest"))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def head(plant: Plant, *lines: str | bytes, media: str = MANY) -> bytes:
    """The head of a push, with these lines more."""
    own = [
        "POST /v1/events HTTP/1.1",
        "Host: door",
        f"Authorization: Bearer {plant.key}",
        f"Content-Type: {media}",
    ]
    encoded = [text.encode() if isinstance(text, str) else text for text in (*own, *lines)]
    return b"\r\n".join(encoded) + b"\r\n\r\n"
