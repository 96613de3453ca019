"""The signed webhook (Standard Webhooks): one POST, whose answer says delivered, try again, or never."""

import base64
import hmac
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver

from services.notify.channels.addresses import Network, PublicResolver, RefusedAddress, checked
from services.notify.domain.notification import Outcome, Result

TIMEOUT_S: Final = 5.0
ANSWER_LIMIT: Final = 64 * 1024
DETAIL_LIMIT: Final = 300
LONGEST_RETRY_AFTER_S: Final = 3600.0
_TRY_AGAIN: Final = frozenset({408, 429, *range(500, 600)})
_PREFIX: Final = "whsec_"


@lru_cache(maxsize=4096)
def key_of(secret: str) -> bytes:
    """The signing key in a secret of the form `whsec_<base64>`."""
    return base64.b64decode(secret.removeprefix(_PREFIX))


def signature(secrets: Sequence[str], name: str, stamp: int, body: bytes) -> str:
    """One signature for each secret that is valid now; two while a secret gives way to another."""
    signed = b".".join((name.encode(), str(stamp).encode(), body))
    digests = (hmac.digest(key_of(secret), signed, "sha256") for secret in secrets)
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


class Webhook:
    """Calls webhooks; one session for all, that goes nowhere but where it may."""

    name: Final = "webhook"

    def __init__(self, allow: Sequence[Network], most: int, resolver: AbstractResolver | None = None) -> None:
        self._allow = tuple(allow)
        self._session = ClientSession(
            connector=TCPConnector(
                limit=most,
                resolver=PublicResolver(allow, resolver or aiohttp.ThreadedResolver()),
                keepalive_timeout=4,  # below the five seconds of common servers: no call meets a closing connection
            ),
            timeout=ClientTimeout(total=TIMEOUT_S),
            headers={"User-Agent": "fengsui", "Content-Type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # a small answer must not unpack into a large one
        )

    async def deliver(
        self, target: str, secrets: Sequence[str], name: str, body: bytes, traceparent: str | None = None
    ) -> Outcome:
        """One attempt, within five seconds; `name` is the webhook-id. Raises nothing that a target can cause."""
        stamp = int(time.time())
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(secrets, name, stamp, body),
        }
        if traceparent is not None:
            headers["traceparent"] = traceparent
        try:
            url = checked(target, self._allow)
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return await _judge(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _unanswered(error)

    async def close(self) -> None:
        """Ends all connections."""
        await self._session.close()


def _unanswered(error: Exception) -> Outcome:
    """What it means that no answer came: a target that is refused is not asked again."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorDNSError) else error
    if isinstance(cause, RefusedAddress):
        return _outcome(Result.FAILED, f"refused: {cause}")
    if isinstance(error, aiohttp.InvalidURL) or not isinstance(error, aiohttp.ClientError | OSError):
        return _outcome(Result.FAILED, f"no URL that can be called: {error}")
    if isinstance(error, TimeoutError):
        return _outcome(Result.RETRY, f"no answer within {TIMEOUT_S:.0f} s")
    return _outcome(Result.RETRY, f"no answer: {type(error).__name__}: {error}")


async def _judge(response: ClientResponse) -> Outcome:
    """The status decides; the answer's text is read only to say why, and to use the connection again."""
    text = await _text(response)
    detail = f"{response.status} {response.reason or ''}".strip()
    if 200 <= response.status < 300:
        return _outcome(Result.DELIVERED, detail)
    if response.status in _TRY_AGAIN:
        return _outcome(Result.RETRY, f"{detail}: {text}", _retry_after(response))
    return _outcome(Result.FAILED, f"{detail}: {text}")


async def _text(response: ClientResponse) -> str:
    pieces, size = [], 0
    try:
        while size <= ANSWER_LIMIT and (piece := await response.content.read(ANSWER_LIMIT + 1 - size)):
            pieces.append(piece)
            size += len(piece)
    except (aiohttp.ClientError, OSError, TimeoutError):
        response.close()
    if size > ANSWER_LIMIT:
        response.close()
    return b"".join(pieces)[:DETAIL_LIMIT].decode("utf-8", "replace")


def _retry_after(response: ClientResponse) -> float:
    given = response.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        seconds = float(given)
    else:
        try:
            seconds = parsedate_to_datetime(given).timestamp() - time.time()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _outcome(result: Result, detail: str, retry_after: float = 0.0) -> Outcome:
    """Bounded, and on one line whatever a stranger wrote."""
    if not detail.isprintable():
        detail = "".join(each if each.isprintable() else " " for each in detail)
    return Outcome(result, detail.strip().removesuffix(":")[:DETAIL_LIMIT], retry_after)
