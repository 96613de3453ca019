"""The console asks the services as the visitor, over HTTP, and knows the difference between a refusal and a silence."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from services.console.visitors import Visitor
from shared.problems import Problem
from shared.service import PORTS
from shared.settings import Settings

GET_S: Final = 3.0
SEND_S: Final = 10.0
AT_ONCE: Final = 64
"""Connections to one service; more clients than that wait their turn."""

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]


class Away(Exception):
    """A service gave no answer that can be used; after a change its outcome is `unknown`."""

    def __init__(self, service: str, reason: str, *, unknown: bool = False) -> None:
        super().__init__(f"{service}: {reason}")
        self.service, self.reason, self.unknown = service, reason, unknown


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said to a change, refusals included."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def done(self) -> bool:
        return self.status < 300

    @property
    def code(self) -> str:
        """The stable code of a refusal; empty when there is none."""
        return str(self.json.get("code", "")) if isinstance(self.json, dict) and not self.done else ""


def urls_of(settings: Settings) -> dict[str, str]:
    """Where each service answers: as FENGSUI_SERVICE_URLS says, else on this machine from the port base."""
    local = {name: f"http://127.0.0.1:{settings.port_base + port}" for name, port in PORTS.items()}
    given = (pair.partition("=") for pair in settings.service_urls.split(",") if pair.strip())
    return local | {name.strip(): url.strip().rstrip("/") for name, _, url in given}


class Services:
    """The other services as one visitor at a time may ask them."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit_per_host=AT_ONCE, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=GET_S),
            )
        return self._session

    async def close(self) -> None:
        """Lets go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, visitor: Visitor, service: str, path: str, params: Params = ()) -> Any:
        """The JSON of an answer; raises the service's Problem, or Away when it has none to give."""
        try:
            async with self._open().get(
                self._url(service, path), params=_written(params), headers=_bearer(visitor), allow_redirects=False
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(service, type(error).__name__) from error
        given = _json(service, body)
        if answer.status >= 500:
            raise Away(service, str(given.get("detail", answer.status)))
        if answer.status >= 300:
            raise Problem(answer.status, str(given.get("code", "refused")), str(given.get("detail", "")))
        return given

    async def reasons(self, service: str) -> list[str]:
        """Why a service cannot do its job now, as its readyz says; raises Away when it says nothing."""
        try:
            async with self._open().get(self.address(service, "/readyz"), allow_redirects=False) as answer:
                said = _json(service, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(service, type(error).__name__) from error
        return [str(reason) for reason in said.get("reasons", [])]

    def address(self, service: str, path: str = "") -> str:
        """Where a service answers."""
        return self._urls[service] + path

    async def send(
        self,
        visitor: Visitor,
        method: str,
        service: str,
        path: str,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Makes a change; a refusal is an answer, and a silence is Away with its outcome unknown."""
        body = None if json is None else orjson.dumps(json)
        said = {**_bearer(visitor), "Content-Type": "application/json", **(headers or {})}
        try:
            async with self._open().request(
                method,
                self._url(service, path),
                data=body,
                headers=said,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=SEND_S),
            ) as answer:
                given = await answer.read()
        except aiohttp.ClientConnectorError as error:
            raise Away(service, type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(service, type(error).__name__, unknown=True) from error
        if answer.status >= 500:
            raise Away(service, str(answer.status), unknown=True)
        return Answer(answer.status, answer.headers, _json(service, given) if given else None)

    @asynccontextmanager
    async def stream(
        self, visitor: Visitor, service: str, path: str, params: Params = ()
    ) -> AsyncIterator[tuple[Mapping[str, str], AsyncIterator[bytes]]]:
        """A long answer, chunk by chunk, with its headers; raises as `get` does before the first one."""
        try:
            async with self._open().get(
                self._url(service, path),
                params=_written(params),
                headers=_bearer(visitor),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=GET_S, sock_read=60),
            ) as answer:
                if answer.status >= 500:
                    raise Away(service, str(answer.status))
                if answer.status >= 300:
                    given = _json(service, await answer.read())
                    raise Problem(answer.status, str(given.get("code", "refused")), str(given.get("detail", "")))
                yield answer.headers, answer.content.iter_chunked(64 * 1024)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(service, type(error).__name__) from error

    def _url(self, service: str, path: str) -> str:
        return self._urls[service] + path


def _bearer(visitor: Visitor) -> dict[str, str]:
    return {"Authorization": f"Bearer {visitor.token}"}


def _written(params: Params) -> list[tuple[str, str]]:
    """Parameters as a query writes them; None and '' are not asked, lists repeat."""
    pairs = params.items() if isinstance(params, Mapping) else params
    return [
        (name, str(each).lower() if isinstance(each, bool) else str(each))
        for name, value in pairs
        for each in (value if isinstance(value, list | tuple) else (value,))
        if each is not None and each != ""
    ]


def _json(service: str, body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Away(service, "no JSON") from error
