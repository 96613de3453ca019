"""A webhook's other end in a process of its own: answers 200 at once and remembers when it was told of what.

`python -m bench.speed.receiver PORT PATTERN`: PATTERN finds the ids in a body. `GET /count` answers how many
deliveries came, `GET /times` the first time of each id and how often it came, and forgets them.
"""

import asyncio
import re
import sys
import time
from typing import Any, Final

import orjson
import uvloop

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Book:
    """What was received."""

    def __init__(self, pattern: bytes) -> None:
        self._pattern = re.compile(pattern)
        self.calls: list[tuple[float, bytes]] = []
        self._counted = 0
        self._ids: dict[str, list[float]] = {}

    def count(self) -> int:
        """How many distinct ids came."""
        self._read()
        return len(self._ids)

    def times(self) -> dict[str, list[float]]:
        """When each id came, every time; forgotten afterwards."""
        self._read()
        found, self._ids, self.calls, self._counted = self._ids, {}, [], 0
        return found

    def _read(self) -> None:
        fresh, self._counted = self.calls[self._counted :], len(self.calls)
        for at, body in fresh:
            for name in set(self._pattern.findall(body)):
                self._ids.setdefault(name.decode(), []).append(at)


class Line(asyncio.Protocol):
    """One connection to the receiver."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            head, body = self._buffer[:end], self._buffer[end + 4 : whole]
            self._buffer = self._buffer[whole:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET "):
            said = orjson.dumps(self._book.count() if head.startswith(b"GET /count") else self._book.times())
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        else:
            self._book.calls.append((time.time(), body))
            self._transport.write(_OK)


async def listen(port: int, pattern: str) -> None:
    """Until the process is ended."""
    book = Book(pattern.encode())
    server = await asyncio.get_running_loop().create_server(lambda: Line(book), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(listen(int(sys.argv[1]), sys.argv[2]))
