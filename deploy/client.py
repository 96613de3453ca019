"""Asks a stack's services as its staff would; whatever is refused or silent becomes one clear sentence."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from deploy.local import claim
from deploy.local.plan import SERVICES
from deploy.refusal import Refusal
from deploy.tokens import mint

OFFSETS: Final = {service.name: service.offset for service in SERVICES}
HEARERS: Final = tuple(name for name in OFFSETS if name != "console")
"""Services that take events in, and may fail to."""
PATIENCE_S: Final = 60.0

NO_STACK = "no stack runs in {home}: start one with `fengsui up`, or name another by --home, or by --url with --token"
NO_TOKEN = "--url needs --token (or FENGSUI_TOKEN): `fengsui token create` makes one on the machine of the home"
BAD_URL = "--url should be http://HOST:PORT, not {url!r}"
BAD_CREDENTIAL = "the token or key is empty or holds characters that none has"
NO_SERVICE = "there is no service {service!r}; there are {known}"
REFUSED = "{service} refuses: {detail} ({where})"
ODD = "{service} at {address} answers {status} and nothing that says why"
SILENT = "{service} does not answer at {address}: {reason}"

Answer = dict[str, Any]
Listed = tuple[list[Answer], dict[str, Refusal]]
"""Items of several services, and by service why one gave none."""
Result = TypeVar("Result")


class Refused(Refusal):
    """A service's problem (RFC 9457) as a sentence, with its members for whoever can show more of them."""

    def __init__(self, sentence: str, problem: Mapping[str, Any]) -> None:
        super().__init__(sentence)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a stack listens, and as whom it is asked."""

    address: URL
    token: str

    def url(self, service: str) -> URL:
        """The service's own address."""
        if service not in OFFSETS:
            raise Refusal(NO_SERVICE.format(service=service, known=", ".join(OFFSETS)))
        return self.address.with_port((self.address.port or 0) + OFFSETS[service])


def find(home: Path, url: str | None, token: str | None) -> Stack:
    """The stack at the URL, or else the one that runs in the home, asked as an admin where no token says who."""
    if url is not None:
        if not token:
            raise Refusal(NO_TOKEN)
        return Stack(address_of(url), token)
    place = home.expanduser().absolute()
    state = claim.declared(place)
    if state is None:
        raise Refusal(NO_STACK.format(home=place))
    address = URL.build(scheme="http", host="127.0.0.1", port=state.port_base)
    return Stack(address, token or mint(place, f"cli:{login()}", "admin", "220000", hours=1))


def address_of(url: str) -> URL:
    """Scheme, host and port of an address without a path."""
    try:
        address = URL(url)
        if address.scheme in ("http", "https") and address.host and address.port and address.path in ("", "/"):
            return address.origin()
    except ValueError:
        pass
    raise Refusal(BAD_URL.format(url=url))


def bearer(credential: str) -> dict[str, str]:
    """The header that carries a token or a key."""
    text = credential.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise Refusal(BAD_CREDENTIAL)
    return {"Authorization": f"Bearer {text}"}


def login() -> str:
    """The operator's name on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unnamed"


class Client:
    """One stack's services, for as long as the context lasts."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=bearer(self._stack.token))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, service: str, path: str, **query: str) -> Answer:
        """The answer's members."""
        async with self.asked(service, "GET", path, params=query) as response:
            return _members(service, response, await response.read())

    async def post(self, service: str, path: str, body: object, patience: float = PATIENCE_S) -> Answer:
        """The answer's members; bytes are sent as the CSV they are, all else as JSON."""
        payload = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": "text/csv" if isinstance(body, bytes) else "application/json"}
        async with self.asked(service, "POST", path, patience, data=payload, headers=headers) as response:
            return _members(service, response, await response.read())

    async def pages(self, service: str, path: str, **query: str) -> AsyncIterator[Answer]:
        """Every item of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(service, path, **query, **({"cursor": cursor} if cursor else {}))
            for item in page["items"]:
                yield item
            cursor = page["next"]

    async def of_each(self, services: Sequence[str], path: str, **query: str) -> Listed:
        """Every item of each service's list, with the service's name.

        One that is down hides no other's; raises its Refusal where none answers."""

        async def of(service: str) -> list[Answer] | Refusal:
            try:
                return [item | {"service": service} async for item in self.pages(service, path, **query)]
            except Refusal as refusal:
                return refusal

        answers = dict(zip(services, await asyncio.gather(*map(of, services)), strict=True))
        refusals = {service: answer for service, answer in answers.items() if isinstance(answer, Refusal)}
        if len(refusals) == len(services):
            raise refusals[services[0]]
        return [item for answer in answers.values() if not isinstance(answer, Refusal) for item in answer], refusals

    @asynccontextmanager
    async def asked(
        self, service: str, method: str, path: str, patience: float | None = PATIENCE_S, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that is none of a refusal; `patience` in seconds for the whole of it, None without end."""
        address = self._stack.url(service)
        timeout = aiohttp.ClientTimeout(total=patience, sock_connect=10)
        try:
            async with self._session.request(
                method, address.join(URL(path, encoded=True)), timeout=timeout, allow_redirects=False, **more
            ) as response:
                if response.status >= 300:
                    raise refusal(service, response, await response.read())
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refusal(SILENT.format(service=service, address=address, reason=why(error))) from error


def _members(service: str, response: aiohttp.ClientResponse, body: bytes) -> Answer:
    if (answer := members(body)) is None:
        raise refusal(service, response, body)
    return answer


def quoted(part: str) -> str:
    """A part of a path, whatever a person typed."""
    return quote(part, safe="")


def members(body: bytes) -> Answer | None:
    """The members of a JSON object; None where the bytes are none."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def refusal(service: str, response: aiohttp.ClientResponse, body: bytes) -> Refusal:
    """What a service's refusal says to a person."""
    problem = members(body) or {}
    if "detail" not in problem:
        return Refusal(ODD.format(service=service, address=response.url.origin(), status=response.status))
    where = " at ".join(str(problem[name]) for name in ("code", "pointer") if name in problem)
    return Refused(REFUSED.format(service=service, detail=problem["detail"], where=where or response.status), problem)


def complete(refusals: Mapping[str, Refusal]) -> None:
    """Raises what was refused, once all else is shown: a list that lacks a service's part is not the whole."""
    if refusals:
        raise Refusal("; ".join(map(str, refusals.values())))


def why(error: Exception) -> str:
    """Why nobody answered, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


def run(
    home: Path, url: str | None, token: str | None, work: Callable[[Client], Coroutine[Any, Any, Result]]
) -> Result:
    """Does a command's work with the stack that its options name."""

    async def connected() -> Result:
        async with Client(find(home, url, token)) as client:
            return await work(client)

    return asyncio.run(connected())
