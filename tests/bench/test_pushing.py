"""The pusher and the receiving webhook of the benchmark count what they should."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp

from bench.speed.load import request
from bench.speed.pushing import pusher
from tests.stack import until

ANSWER = b'HTTP/1.1 202 Accepted\r\nContent-Length: 14\r\n%s\r\n{"accepted":3}'


@asynccontextmanager
async def door(wait: Callable[[int], Awaitable[None]], closes: bool = False) -> AsyncIterator[int]:
    """A door that waits before its nth answer; its port."""
    heard = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(2)
                heard += 1
                await wait(heard)
                writer.write(ANSWER % (b"Connection: close\r\n" if closes else b""))
                if closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def requests(port: int, count: int) -> list[bytes]:
    """So many pushes of the same."""
    return [request(port, "/", "text/plain", b"{}")] * count


async def at_once(_number: int) -> None:
    """Lets nobody wait."""


async def test_everything_is_pushed_once_and_what_was_accepted_is_summed():
    async with door(at_once) as port, pusher(requests(port, 200), port, connections=8) as begin:
        result = await (await begin()).result()

    assert (result["requests"], result["answered"], result["accepted"]) == (200, 200, 600)
    assert result["statuses"] == {"202": 200}


async def test_a_server_that_closes_each_connection_is_pushed_to_all_the_same():
    async with door(at_once, closes=True) as port, pusher(requests(port, 40), port, connections=4) as begin:
        result = await (await begin()).result()

    assert result["statuses"] == {"202": 40}


async def test_in_an_open_loop_one_stall_is_paid_by_all_that_were_due_meanwhile():
    async def stall(number: int) -> None:
        await asyncio.sleep(0.5 if number == 1 else 0)

    async with door(stall) as port, pusher(requests(port, 50), port, connections=1, rate=100) as begin:
        result = await (await begin()).result()

    assert result["answered"] == 50
    assert result["answer_ms"]["p50"] >= 200  # the 25th was due after 0.25 s and could not be sent before 0.5 s


async def test_the_webhook_knows_of_each_id_how_often_it_was_told():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (sys.executable, "-m", "bench.speed.receiver", str(port), r'"id":"([^"]+)"')
    process = await asyncio.create_subprocess_exec(*command)
    try:
        async with aiohttp.ClientSession() as session:

            async def told() -> int:
                async with session.get(f"http://127.0.0.1:{port}/count") as answer:
                    return int(await answer.text())

            await until(told, lambda count: count == 0, timeout=60)
            for body in (b'{"id":"a","again":{"id":"a"}}', b'{"id":"b"}', b'{"id":"a"}'):
                async with session.post(f"http://127.0.0.1:{port}/", data=body) as answer:
                    assert answer.status == 200

            assert await told() == 2
            async with session.get(f"http://127.0.0.1:{port}/times") as answer:
                times = await answer.json(content_type=None)
            assert {name: len(at) for name, at in times.items()} == {"a": 2, "b": 1}
            assert await told() == 0
    finally:
        process.terminate()
        await process.wait()
