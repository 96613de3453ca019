"""Pushes prepared requests from a process of its own: as fast as answers come, or at the times that a rate gives.

`python -m bench.speed.pusher FILE PORT CONNECTIONS RATE` says `ready`, waits for a line, pushes, and prints one JSON
object. RATE 0 sends the next request when an answer is there; any other is an open loop: a request has its moment
whether or not earlier ones were answered, and its latency counts from that moment.
"""

import asyncio
import re
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any, Final

import orjson
import uvloop

from bench.speed.load import read
from bench.speed.quantiles import milliseconds

TICK_S: Final = 0.001
STALLED_S: Final = 60.0
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ACCEPTED: Final = re.compile(rb'"accepted":(\d+)')
_CLOSE: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Push:
    """The state of one push: what is left, what was answered."""

    def __init__(self, requests: list[bytes], rate: float) -> None:
        self._requests, self._rate = requests, rate
        self._due: deque[int] = deque()
        self._idle: list[Line] = []
        self._port = 0
        self._renewals: set[asyncio.Task[None]] = set()
        self._next = 0
        self._began = 0.0
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.accepted = 0
        self.answered_at = 0.0
        self.done = asyncio.Event()

    async def run(self, port: int, connections: int) -> dict[str, Any]:
        """Connects, waits for the word, pushes all; what came of it."""
        self._port = port
        self._idle = [await self._connected() for _ in range(connections)]
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        wall, cpu, self._began = time.time(), time.process_time(), time.monotonic()
        await (self._open_loop() if self._rate else self._closed_loop())
        while not self.done.is_set():
            answered = len(self.latencies)
            try:
                await asyncio.wait_for(self.done.wait(), STALLED_S)
            except TimeoutError:
                if answered == len(self.latencies):
                    break
        return {
            "began": wall,
            "seconds": round(self.answered_at - self._began, 3),
            "requests": len(self._requests),
            "answered": len(self.latencies),
            "accepted": self.accepted,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "answer_ms": milliseconds(self.latencies),
            "pusher_cpu_s": round(time.process_time() - cpu, 3),
        }

    async def _connected(self) -> "Line":
        _, line = await asyncio.get_running_loop().create_connection(lambda: Line(self), "127.0.0.1", self._port)
        return line

    async def _closed_loop(self) -> None:
        lines, self._idle = self._idle, []
        for line in lines:
            self._go_on(line)

    async def _open_loop(self) -> None:
        while self._next < len(self._requests):
            due = min(len(self._requests), int((time.monotonic() - self._began) * self._rate) + 1)
            self._due.extend(range(self._next, due))
            self._next = due
            while self._due and self._idle:
                self._send_due(self._idle.pop())
            await asyncio.sleep(TICK_S)

    def _send_due(self, line: "Line") -> None:
        number = self._due.popleft()
        line.send(self._requests[number], self._began + number / self._rate)

    def _go_on(self, line: "Line") -> None:
        """A line is free: it pushes what is due, or waits."""
        if self._rate:
            self._send_due(line) if self._due else self._idle.append(line)
        elif self._next < len(self._requests):
            line.send(self._requests[self._next], time.monotonic())
            self._next += 1

    async def _renew(self) -> None:
        """A server that closes after each answer costs its clients a connection for each request."""
        self._go_on(await self._connected())

    def answer(self, line: "Line", status: int, body: bytes, since: float, closing: bool) -> None:
        """One answer came; the line, or one in its place, may push the next."""
        self.answered_at = time.monotonic()
        self.latencies.append(self.answered_at - since)
        self.statuses[status] += 1
        if found := _ACCEPTED.search(body):
            self.accepted += int(found[1])
        if len(self.latencies) == len(self._requests):
            self.done.set()
        elif closing:
            line.close()
            task = asyncio.create_task(self._renew())
            self._renewals.add(task)
            task.add_done_callback(self._renewals.discard)
        else:
            self._go_on(line)


class Line(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, push: Push) -> None:
        self._push = push
        self._buffer = b""
        self._since = 0.0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def close(self) -> None:
        """The other side will send nothing more."""
        self._transport.close()

    def send(self, request: bytes, since: float) -> None:
        """Sends a request whose latency counts from `since`."""
        self._since = since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) >= whole:
            status, body = int(self._buffer[9:12]), self._buffer[end + 4 : whole]
            closing = _CLOSE.search(self._buffer, 0, end) is not None
            self._buffer = self._buffer[whole:]
            self._push.answer(self, status, body, self._since, closing)


if __name__ == "__main__":
    file, port, connections, rate = sys.argv[1:]
    push = Push(read(Path(file)), float(rate))
    print(orjson.dumps(uvloop.run(push.run(int(port), int(connections)))).decode())
