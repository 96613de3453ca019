"""Pushes items through a door in their order, and again with the same ids until it is known what became of them."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

import aiohttp

from deploy.client import address_of, bearer, members, refusal, why
from deploy.local.plan import backoff
from deploy.pushfile import Form, Item, Rejection
from deploy.refusal import Refusal

ANSWER_S: Final = 60.0
FIRST_PATIENCE_S: Final = 15.0
"""As long as nothing was ever heard of a door, its address is more likely wrong."""
SHOWN: Final = 20

AGAIN = "the door {reason}: asking again, for up to {patience:.0f} s"
GAVE_UP = (
    "the door at {url} {reason}, for {seconds:.0f} s now; stopped at line {line}: "
    "push the file again, what was taken is known by its ids"
)

_LATER: Final = {408, 425, 429}  # and every 5xx: the same again, later
_DIVISIBLE: Final = {400, 413, 422}  # one item may have spoilt the whole request


@dataclass
class Tally:
    """What became of the items so far; of the rejected ones the first are kept."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    first: list[Rejection] = field(default_factory=list)

    def reject(self, rejection: Rejection) -> None:
        self.rejected += 1
        if len(self.first) < SHOWN:
            self.first.append(rejection)

    def counts(self) -> dict[str, int]:
        return {"accepted": self.accepted, "duplicates": self.duplicates, "rejected": self.rejected}


class Door:
    """An ingest door as an enterprise meets it; `patience` is how many seconds it may give no verdict."""

    def __init__(
        self, url: str, key: str, form: Form, *, dry_run: bool, patience: float, say: Callable[[str], None]
    ) -> None:
        self.tally = Tally()
        self._url, self._form = address_of(url), form
        self._query = {"dry_run": "true"} if dry_run else {}
        self._headers = bearer(key) | {"Content-Type": form.media}
        self._patience = min(patience, FIRST_PATIENCE_S)
        self._patience_once_heard = patience
        self._say = say

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def push(self, items: list[Item]) -> None:
        """Gives every item its place in the tally; a request that one item spoils is halved until that one is alone."""
        status, said, refused = await self._verdict(items)
        if isinstance(rejected := said.get("rejected"), list):
            self.tally.accepted += said.get("accepted", 0)
            self.tally.duplicates += said.get("duplicates", 0)
            for each in rejected:
                line = items[each["index"]].line
                self.tally.reject(Rejection(line, each["code"], each["detail"], each.get("pointer")))
        elif status not in _DIVISIBLE:
            raise refused
        elif len(items) > 1:
            middle = len(items) // 2
            await self.push(items[:middle])
            await self.push(items[middle:])
        else:
            code, detail = said.get("code", str(status)), said.get("detail", str(refused))
            self.tally.reject(Rejection(items[0].line, code, detail, said.get("pointer")))

    async def _verdict(self, items: list[Item]) -> tuple[int, dict[str, Any], Refusal]:
        """The first answer that is more than "later": its status, its members, and itself as a sentence."""
        url, body = self._url.with_path(self._form.path), self._form.body(items)
        began, tries = time.monotonic(), 0
        while True:
            tries, wait = tries + 1, None
            try:
                async with self._session.post(url, params=self._query, data=body, allow_redirects=False) as answer:
                    said = await answer.read()
                    self._patience = self._patience_once_heard
                    refused = refusal("the door", answer, said)
                    if answer.status < 500 and answer.status not in _LATER:
                        return answer.status, members(said) or {}, refused
                    reason = f"answers {answer.status} ({(members(said) or {}).get('code', 'no reason')})"
                    wait = retry_after(answer.headers.get("Retry-After", ""), time.time())
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = f"gives no answer ({why(error)})"
            seconds = time.monotonic() - began
            if seconds > self._patience:
                raise Refusal(GAVE_UP.format(url=self._url, reason=reason, seconds=seconds, line=items[0].line))
            if tries == 1 and wait is None:
                self._say(AGAIN.format(reason=reason, patience=self._patience))
            await asyncio.sleep(backoff(tries) if wait is None else wait)


def retry_after(said: str, now: float) -> float | None:
    """Seconds that a Retry-After (RFC 9110: seconds or a date) asks for; None where it asks for nothing."""
    if said.isascii() and said.isdecimal():
        return float(said)
    try:
        asked = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, asked.replace(tzinfo=asked.tzinfo or UTC).timestamp() - now)
