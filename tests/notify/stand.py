"""notify's own database, its door as staff ask it, and a telephone that listens."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import orjson
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from deploy.tokens import mint

DATABASE = "notices"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALWAYS = "2026-01-01T00:00:00+08:00,2099-01-01T00:00:00+08:00"


def there(dsn: str) -> str:
    """The same server and role, in the tests' database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{DATABASE}"))


@dataclass(frozen=True)
class Door:
    """notify's HTTP, asked as staff."""

    url: str
    home: Path
    session: aiohttp.ClientSession

    async def ask(self, path: str, method: str = "GET", body: Any = None, **staff: Any) -> tuple[int, Any]:
        """Status and answer."""
        who = {"name": "zhao", "role": "admin", "region": "220000"} | staff
        media = "text/csv" if isinstance(body, str) else "application/json"
        headers = {"Authorization": f"Bearer {mint(self.home, **who)}", "Content-Type": media}
        data = body.encode() if isinstance(body, str) else body and orjson.dumps(body)
        async with self.session.request(method, self.url + path, headers=headers, data=data) as answer:
            return answer.status, await answer.json(content_type=None)

    async def upload(self, what: str, header: str, rows: Iterable[str], **staff: Any) -> tuple[int, Any]:
        return await self.ask(f"/v1/{what}/import", "POST", "\n".join([header, *rows]) + "\n", **staff)


@dataclass
class Phone:
    """Takes webhooks, verifies each, and answers as it is told: a list of statuses for the next ones, then 204."""

    url: str = ""
    secret: str = SECRET
    answers: list[int] = field(default_factory=list)
    pause: float = 0.0
    taken: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.tries += 1
        told = Verifier(self.secret).verify(body, dict(request.headers))
        if self.pause:
            await asyncio.sleep(self.pause)
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.taken.append(told | {"id": request.headers["webhook-id"], "path": request.path})
        return web.Response(status=status, headers=self.headers)

    def heard(self) -> list[tuple[str, str]]:
        """(contact, type) of what was taken, in order."""
        return [(each["path"][1:], each["type"].removeprefix("notification.")) for each in self.taken]


async def on_duty(door: Door, people: Sequence[tuple[str, str]], url: str | None = None, **columns: str) -> None:
    """Puts contacts on the rosters of their regions for a month around now."""
    role = columns.get("role", "officer")
    contacts = [
        f"{name},{name.title()},{region},{role},{url + '/' + name if url else ''},{SECRET if url else ''}"
        for name, region in people
    ]
    status, answer = await door.upload("contacts", "contact,name,region,role,webhook,webhook_secret", contacts)
    assert status == 200, answer
    if columns.get("rostered", "yes") == "yes":
        rosters = [f"duty-{name},{region},{name},{ALWAYS},primary" for name, region in people]
        status, answer = await door.upload("rosters", "roster,region,contact,start,end,position", rosters)
        assert status == 200, answer
