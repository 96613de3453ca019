"""A small proxy that hands each connection to the next replica in turn, and passes over one that is not there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count


@asynccontextmanager
async def turnstile(ports: Sequence[int]) -> AsyncIterator[int]:
    """The port at which the replicas answer as one."""
    turns = count()

    async def reach() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        turn = next(turns)
        for step in range(len(ports)):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", ports[(turn + step) % len(ports)])
        raise ConnectionRefusedError

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, before = await reach()
        except OSError:
            writer.close()
            return
        await asyncio.gather(pass_on(reader, before), pass_on(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
