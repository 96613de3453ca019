"""The proxy is the network that it claims to be, and whole again afterwards."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bench.chaos.proxy import Proxy, Weather
from tests.stack import until

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """In front of a server that says again what it hears."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Proxy("test", free_port(), server.sockets[0].getsockname()[1])
    await made.start()
    yield made
    await made.stop()
    server.close()


@asynccontextmanager
async def line(proxy: Proxy) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def say(through: Line, text: bytes) -> bytes:
    reader, writer = through
    writer.write(text)
    await writer.drain()
    async with asyncio.timeout(10):
        return await reader.readexactly(len(text))


async def is_silent(through: Line, text: bytes = b"?") -> bool:
    through[1].write(text)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            return await through[0].read(1) is None
    return True


async def test_in_fair_weather_all_comes_through_in_order(proxy: Proxy) -> None:
    text = bytes(range(256)) * 8000

    async with line(proxy) as through:
        said = asyncio.create_task(say(through, text))

        assert await said == text


async def test_what_is_cut_ends_and_what_comes_then_is_refused(proxy: Proxy) -> None:
    async with line(proxy) as through:
        assert await say(through, b"before") == b"before"

        proxy.turn(Weather.CUT)

        with suppress(ConnectionError):
            assert await through[0].read(1) == b""
    async with line(proxy) as refused:
        with suppress(ConnectionError):
            assert await refused[0].read(1) == b""
    proxy.turn(Weather.FAIR)
    async with line(proxy) as again:
        assert await say(again, b"after") == b"after"


async def test_slow_is_late_in_both_directions(proxy: Proxy) -> None:
    proxy.turn(Weather.SLOW, 0.2)

    async with line(proxy) as through:
        began = time.monotonic()
        assert await say(through, b"late") == b"late"

    assert time.monotonic() - began >= 0.4


async def test_what_was_said_into_silence_arrives_when_it_clears(proxy: Proxy) -> None:
    async with line(proxy) as through:
        assert await say(through, b"x") == b"x"
        proxy.turn(Weather.SILENT)
        assert await is_silent(through, b"kept")

        proxy.turn(Weather.FAIR)

        async with asyncio.timeout(10):
            assert await through[0].readexactly(4) == b"kept"


async def test_a_half_open_line_is_never_told_that_it_broke(proxy: Proxy) -> None:
    async with line(proxy) as through:
        assert await say(through, b"x") == b"x"

        proxy.turn(Weather.HALF_OPEN)
        assert await is_silent(through)
        proxy.turn(Weather.FAIR)

        assert await is_silent(through)
        async with line(proxy) as other:
            assert await say(other, b"new ones do") == b"new ones do"


async def test_a_line_that_its_owner_ends_is_forgotten(proxy: Proxy) -> None:
    async with line(proxy) as through:
        await say(through, b"x")
        assert proxy.connections == 1

    async def count() -> int:
        return proxy.connections

    await until(count, lambda left: left == 0)
