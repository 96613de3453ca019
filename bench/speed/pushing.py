"""One push by a process of its own, begun when all else is ready."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import orjson

from bench.speed.load import write
from bench.speed.system import Failed

CONNECTIONS: Final = 64

Result = dict[str, Any]


@asynccontextmanager
async def pusher(
    requests: Iterable[bytes], port: int, connections: int = CONNECTIONS, rate: float = 0
) -> AsyncIterator[Callable[[], Awaitable["Push"]]]:
    """A pusher that has its requests and connections and waits for the word."""
    with NamedTemporaryFile(prefix="bench-", suffix=".push") as file:
        write(Path(file.name), list(requests))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.speed.pusher", file.name, str(port), str(connections), str(rate)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            if await process.stdout.readline() != b"ready\n":
                raise Failed("the pusher cannot connect")

            async def begin() -> Push:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
                await process.stdin.drain()
                return Push(process)

            yield begin
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


class Push:
    """A push under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def result(self) -> Result:
        """What came of it, once every request was answered."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise Failed("the pusher ended without a word")
        found: Result = orjson.loads(line)
        if found["answered"] < found["requests"]:
            raise Failed(f"only {found['answered']} of {found['requests']} requests were answered: {found['statuses']}")
        return found
