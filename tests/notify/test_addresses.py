"""No webhook reaches our own network, in whatever way its address is spelt, resolved or redirected."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notify.channels.addresses import RefusedAddress, checked, is_permitted
from services.notify.channels.webhook import Webhook
from services.notify.domain.notification import Outcome, Result
from tests.notify.stand import SECRET

LOOPBACK = (ip_network("127.0.0.0/8"),)

PRIVATE = {
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "link-local": ["169.254.1.1", "fe80::1"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.2.1", "2001:db8::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
    "embedded": [
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "::7f00:1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
}


@pytest.mark.parametrize("address", [each for group in PRIVATE.values() for each in group])
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not is_permitted(ip_address(address), [])


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "223.5.5.5", "172.32.0.1", "100.128.0.1", "2400:3200::1", "::ffff:1.1.1.1"]
)
def test_public_addresses_are_permitted(address: str) -> None:
    assert is_permitted(ip_address(address), [])


def test_the_operator_may_open_an_intranet() -> None:
    allow = [ip_network("10.20.0.0/16"), ip_network("fd12::/16")]

    assert is_permitted(ip_address("10.20.3.4"), allow)
    assert is_permitted(ip_address("::ffff:10.20.3.4"), allow)
    assert is_permitted(ip_address("fd12::1"), allow)
    assert not is_permitted(ip_address("10.21.0.1"), allow)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1%25eth0]",
        "localhost",
        "0",
    ],
)
async def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    outcome = await attempt(f"http://{host}:9/")

    assert outcome.result is Result.FAILED, outcome


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://1.1.1.1/", "//1.1.1.1/", "http://", "x"]
)
async def test_only_http_is_spoken(target: str) -> None:
    outcome = await attempt(target)

    assert (outcome.result, outcome.detail[:6]) == (Result.FAILED, "no URL")


def test_a_permitted_literal_is_called_in_its_plain_form() -> None:
    assert str(checked("http://0x7f.1:8080/hook?a=b", LOOPBACK)) == "http://127.0.0.1:8080/hook?a=b"
    with pytest.raises(RefusedAddress):
        checked("http://10.1/", LOOPBACK)


class Names(AbstractResolver):
    """A name server that answers with the next of its addresses each time, as one that rebinds."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def attempt(target: str, allow: Any = (), resolver: AbstractResolver | None = None) -> Outcome:
    channel = Webhook(allow, 4, resolver)
    try:
        return await channel.deliver(target, [SECRET], "id-1", b"{}")
    finally:
        await channel.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[int]]]:
    """Serves a handler on loopback and tells the port."""
    runners = []

    async def begin(handler: Any) -> int:
        app = web.Application()
        app.router.add_post("/", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        port: int = runner.addresses[0][1]
        return port

    yield begin
    for runner in runners:
        await runner.cleanup()


async def test_a_name_of_our_own_network_is_refused_for_good() -> None:
    outcome = await attempt("http://inside.example/", resolver=Names(["10.0.0.1", "::1"]))

    assert outcome == Outcome(Result.FAILED, "refused: inside.example has no public address")


async def test_of_a_name_only_the_permitted_addresses_are_called(serve: Callable[..., Awaitable[int]]) -> None:
    async def take(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    port = await serve(take)

    outcome = await attempt(f"http://mixed.example:{port}/", LOOPBACK, Names(["10.255.255.1", "127.0.0.1"]))

    assert outcome.result is Result.DELIVERED


async def test_what_was_checked_is_what_is_connected_to(serve: Callable[..., Awaitable[int]]) -> None:
    calls = []

    async def take(_request: web.Request) -> web.Response:
        calls.append(1)
        return web.Response(status=204)

    port = await serve(take)
    rebinding = Names(["203.0.113.1"], ["127.0.0.1"])

    outcomes = [await attempt(f"http://rebind.example:{port}/", resolver=rebinding) for _ in range(3)]

    assert [outcome.result for outcome in outcomes] == [Result.FAILED] * 3
    assert not calls


async def test_a_redirect_is_not_followed(serve: Callable[..., Awaitable[int]]) -> None:
    calls = []

    async def take(_request: web.Request) -> web.Response:
        calls.append(1)
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    port = await serve(take)

    outcome = await attempt(f"http://127.0.0.1:{port}/", LOOPBACK)

    assert (outcome.result, outcome.detail) == (Result.FAILED, "302 Found")
    assert len(calls) == 1


async def test_a_receiver_that_does_not_answer_is_left_after_five_seconds() -> None:
    silent = await asyncio.start_server(lambda _r, _w: asyncio.sleep(30), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    began = asyncio.get_running_loop().time()

    outcome = await attempt(f"http://127.0.0.1:{port}/", LOOPBACK)

    assert outcome == Outcome(Result.RETRY, "no answer within 5 s")
    assert 4 < asyncio.get_running_loop().time() - began < 8
    silent.close()


async def test_an_endless_answer_is_cut_off(serve: Callable[..., Awaitable[int]]) -> None:
    sent = []

    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        try:
            while len(sent) < 1000:
                await response.write(b"x" * 65536)
                sent.append(1)
        except ConnectionError:
            pass
        return response

    port = await serve(pour)

    outcome = await attempt(f"http://127.0.0.1:{port}/", LOOPBACK)

    assert outcome.result is Result.DELIVERED
    assert len(sent) < 200


async def test_what_a_stranger_writes_stays_short_and_on_one_line(serve: Callable[..., Awaitable[int]]) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=400, text='no\r\n{"level":"error"}\x1b[31m\u2028' + "x" * 10_000)

    port = await serve(refuse)

    outcome = await attempt(f"http://127.0.0.1:{port}/", LOOPBACK)

    assert outcome.detail.startswith('400 Bad Request: no  {"level":"error"} [31m')
    assert outcome.detail.isprintable()
    assert len(outcome.detail) <= 300


async def test_nobody_listening_is_tried_again() -> None:
    assert (await attempt("http://127.0.0.1:1/", LOOPBACK)).result is Result.RETRY
