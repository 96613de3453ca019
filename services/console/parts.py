"""A page of many parts: one whose service is away stays empty and says so, while the rest of the page works."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

from services.console.asking import Away, Services
from services.console.visitors import Visitor
from shared.problems import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """What was answered; or None, and the service that is away or the stable code of its refusal."""

    value: Any = None
    away: str = ""
    refusal: str = ""

    @property
    def items(self) -> list[Any]:
        """The items of a list; none when there was no answer."""
        if self.value is None:
            return []
        return list(self.value["items"] if isinstance(self.value, Mapping) else self.value)


async def part(asked: Awaitable[Any]) -> Part:
    """Waits for an answer, or for the reason why there is none."""
    try:
        return Part(await asked)
    except Away as away:
        return Part(away=away.service)
    except Problem as problem:
        return Part(refusal=problem.code)


async def parts(*asked: Awaitable[Any]) -> list[Part]:
    """The same of several at once."""
    return list(await asyncio.gather(*map(part, asked)))


async def everything(
    services: Services, visitor: Visitor, service: str, path: str, most: int = 20_000, **params: Any
) -> list[Any]:
    """All items of a list that is answered in pages, up to `most`."""
    return [item async for item in _items(services, visitor, service, path, most, params)]


async def _items(
    services: Services, visitor: Visitor, service: str, path: str, most: int, params: Mapping[str, Any]
) -> AsyncIterator[Any]:
    cursor, seen = None, 0
    while seen < most:
        answer = await services.get(visitor, service, path, {**params, "limit": 500, "cursor": cursor})
        for item in answer["items"]:
            yield item
        seen += len(answer["items"])
        cursor = answer.get("next")
        if cursor is None or not answer["items"]:
            return
