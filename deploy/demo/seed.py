"""Fills a running stack with the demo province, through the doors that anyone else would use; again changes nothing."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from deploy.demo.keys import phone_key, read_keys, secret_of, write_keys
from deploy.demo.province import by_slug, enterprises, enterprises_csv, point_of, points_csv
from deploy.demo.rota import contacts_csv, rosters_csv
from deploy.refusal import Refusal
from deploy.tokens import mint

INGEST: Final = 1
NOTIFY: Final = 3
_PATIENCE_S: Final = 60

SHOWN: Final = ("longtan-acrylonitrile", "AI-901")
"""The enterprise and point of the ready curl line."""


async def seed(home: Path, port_base: int) -> None:
    """Registers enterprises, points, contacts and rosters, and makes each enterprise a key where it has none."""
    phone = phone_key(home)
    contacts = contacts_csv(port_base, lambda contact: secret_of(phone, contact))
    files = (
        (INGEST, "/v1/enterprises/import", enterprises_csv()),
        (INGEST, "/v1/points/import", points_csv()),
        (NOTIFY, "/v1/contacts/import", contacts),
        (NOTIFY, "/v1/rosters/import", rosters_csv(datetime.fromtimestamp(time.time(), UTC))),
    )
    token = mint(home, name="demo", role="admin", region="220000", hours=1)
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        for service, path, text in files:
            await _post(session, _url(port_base, service, path), text.encode(), "text/csv")
        await _make_keys(session, _url(port_base, INGEST, "/v1/keys"), home)


def curl_line(home: Path, port_base: int) -> str:
    """A line for a shell that pushes one red alarm of now; every call is an event of its own."""
    slug, point = SHOWN
    key = read_keys(home)[by_slug()[slug].uscc]
    event = {
        "specversion": "1.0",
        "type": "fengsui.alarm.v1",
        "source": "demo/curl",
        "id": "ID",
        "time": "TIME",
        "data": {
            "point": point,
            "level": "red",
            "state": "raised",
            "value": 26.5,
            "limit": point_of(slug, point).hh,
            "message": "演示: 硫化氢浓度超限",
        },
    }
    body = orjson.dumps(event).decode()
    body = body.replace('"ID"', """"'$(date +%s%N)'\"""").replace('"TIME"', """"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'\"""")
    return (
        f"curl -sS {_url(port_base, INGEST, '/v1/events')} -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/cloudevents+json' -d '{body}'"
    )


async def _make_keys(session: aiohttp.ClientSession, url: str, home: Path) -> None:
    keys = read_keys(home)
    for enterprise in enterprises():
        if enterprise.uscc not in keys:
            wanted = orjson.dumps({"enterprise": enterprise.uscc, "name": "demo"})
            keys[enterprise.uscc] = (await _post(session, url, wanted, "application/json"))["key"]
            write_keys(home, keys)


async def _post(session: aiohttp.ClientSession, url: str, body: bytes, kind: str) -> dict[str, Any]:
    """The answer's members; a service that cannot now is asked again for a minute."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            async with session.post(url, data=body, headers={"Content-Type": kind}) as answer:
                said, status = await answer.read(), answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            said, status = str(error).encode(), 0
        if 200 <= status < 300:
            return dict(orjson.loads(said)) if said else {}
        if (0 < status < 500 and status != 429) or time.monotonic() > until:
            raise Refusal(f"the demo cannot be seeded: {url} answers {status or 'nothing'}: {said.decode()[:500]}")
        await asyncio.sleep(1)


def _url(port_base: int, service: int, path: str) -> str:
    return f"http://127.0.0.1:{port_base + service}{path}"
