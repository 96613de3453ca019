"""Who looks at what: four plants, staff of every sight, and a service's application asked without a network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx

from deploy.local import secrets
from deploy.local.postgres import Postgres
from deploy.tokens import mint
from shared.access import Staff
from shared.database import Connection, pool
from shared.events.event import NAMESPACE
from shared.service import Service
from shared.settings import Settings
from shared.vocabulary import Role
from tests.stack import uscc

NEAR, BESIDE, SIBLING, FAR = (uscc(number) for number in (8801, 8802, 8803, 8804))
PLANTS = {NEAR: "220203", BESIDE: "220203", SIBLING: "220202", FAR: "220102"}
"""Two plants of a county, one of another county of its city, one of another city; with their regions."""

EYES: dict[str, tuple[Staff, set[str]]] = {
    "province": (Staff("prov", Role.ADMIN, "220000"), {NEAR, BESIDE, SIBLING, FAR}),
    "city": (Staff("city", Role.MANAGER, "220200"), {NEAR, BESIDE, SIBLING}),
    "county": (Staff("county", Role.OFFICER, "220203"), {NEAR, BESIDE}),
    "enterprise": (Staff("plant", Role.ENTERPRISE, "220203", NEAR), {NEAR}),
    "elsewhere": (Staff("far", Role.OFFICER, "220102"), {FAR}),
    "moved": (Staff("moved", Role.ENTERPRISE, "220102", NEAR), set()),
}
"""Members of staff, and the plants in their sight; the last one's plant lies in another region than the account."""


def id_of(plant: str, what: str = "case") -> UUID:
    """The id of a thing of a plant."""
    return uuid5(NAMESPACE, f"sight/{plant}/{what}")


@dataclass(frozen=True)
class Face:
    """A service's application over the real database, without its bus."""

    service: Service
    home: Path
    client: httpx.AsyncClient

    async def ask(self, staff: Staff | None, path: str, method: str = "GET", **request: Any) -> httpx.Response:
        """What the service answers; without staff nobody is said to ask."""
        headers = dict(request.pop("headers", {}))
        if staff is not None:
            token = mint(self.home, staff.name, staff.role, staff.region, 1, staff.enterprise)
            headers["Authorization"] = f"Bearer {token}"
        return await self.client.request(method, path, headers=headers, **request)


@asynccontextmanager
async def face(postgres: Postgres, home: Path, name: str, size: int = 4) -> AsyncIterator[Face]:
    """A service's application with a pool of so many connections."""
    settings = Settings(home=home, jwks=str(secrets.folder(home) / "jwks.json"))
    service: Service = import_module(f"services.{name}.app").build(settings)
    service.ask = await pool(postgres.dsn(f"{name}_ask"), "test", size)
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            yield Face(service, home, client)
    finally:
        service.ask.terminate()


async def readable(db: Connection) -> list[str]:
    """The tables and views that a connection's role may read."""
    rows = await db.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relkind IN ('r', 'p', 'v') AND has_any_column_privilege(oid, 'SELECT') ORDER BY relname"
    )
    return [row["relname"] for row in rows]


async def counted(db: Connection) -> dict[str, int]:
    """How many rows of each readable table there are, those without any left out."""
    found = {name: await db.fetchval(f"SELECT count(*) FROM {name}") for name in await readable(db)}
    return {name: count for name, count in found.items() if count}
