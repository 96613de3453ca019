"""The table of roles and routes is what every route does: each cell is asked."""

import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.contracts import FACES, rights
from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from services.console.guard import COOKIE
from services.console.sessions import key_of
from shared.access import Staff
from shared.vocabulary import Role
from tests.eyes import NEAR, Face, face, id_of
from tests.hazards.desk import BODIES

TABLE = list(csv.DictReader(io.StringIO(rights())))
REGIONS = ("220000", "220200", "220203")
REFUSALS = {"forbidden", "province_only"}
FILLED = {"case": id_of(NEAR, "rights"), "notification": id_of(NEAR), "letter": 1, "partition": 0, "period": "2026-11"}
CASE = """
INSERT INTO hazards.cases (id, cause, version, state, level, title, enterprise, enterprise_name, region, industry,
    opened_at, overdue, tier, occurrences, active)
VALUES ($1, $1, 1, 'reported', 'red', 'title', $2, 'name', '220203', 'food', now(), false, 'county', 1, '{red}')
"""
ACCOUNT = """
INSERT INTO console.accounts (name, role, region, enterprise, password) VALUES ($1, $2, $3, $4, '$argon2id$none')
"""
SESSION = """
INSERT INTO console.sessions (key, account, since, address, agent, created_at, used_at)
VALUES ($1, $2, 1, '', '', now(), now()) ON CONFLICT (key) DO UPDATE SET used_at = now()
"""
ENTRANCES = {"/login", "/logout"}
"""Where a stranger is refused for another reason, or led away."""
ENDLESS = ("console", "/stream")
"""An answer that ends with its session only."""


def staff_of(role: Role, region: str) -> Staff:
    return Staff(f"rights.{role}.{region}", role, region, NEAR if role is Role.ENTERPRISE else None)


EVERYBODY = [staff_of(role, region) for role in Role for region in REGIONS]


@pytest.fixture(scope="module")
async def admin(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, with a case that everybody sees, of a county's plant, and everybody's account."""
    db = await asyncpg.connect(in_our_database(postgres.admin_dsn))
    try:
        await db.execute(CASE, FILLED["case"], NEAR)
        for staff in EVERYBODY:
            await db.execute(ACCOUNT, staff.name, staff.role, staff.region, staff.enterprise)
        yield db
    finally:
        await db.execute("DELETE FROM hazards.cases WHERE id = $1", FILLED["case"])
        await db.execute("DELETE FROM console.sessions WHERE account LIKE 'rights.%'")
        await db.execute("DELETE FROM console.accounts WHERE name LIKE 'rights.%'")
        await db.close()


async def asked(here: Face, row: dict[str, str], staff: Staff | None) -> tuple[int, Any]:
    """Status and stable code of a route's answer."""
    path = re.sub(r"{(\w+)}", lambda name: str(FILLED.get(name[1], "x")), row["path"])
    body: dict[str, Any] = {"headers": {"Origin": "http://test"}}
    if staff is not None:
        body["headers"]["Cookie"] = f"{COOKIE}={staff.name}"
    if row["method"] != "GET":
        form = row["service"] == "console" and not path.startswith("/v1/")
        body |= {"data": {"name": "x"}} if form else {"json": BODIES.get(row["right"], {"events": []})}
    answer = await here.ask(staff, path, row["method"], **body)
    problem = "json" in answer.headers.get("content-type", "") and answer.status_code >= 400
    return answer.status_code, answer.json().get("code") if problem else None


def is_as_said(row: dict[str, str], staff: Staff, status: int, code: Any) -> bool:
    """Whether an answer fits the table's cell."""
    if row["right"] == "key":
        return status == 401
    if row["right"] == "public":
        return code not in REFUSALS and (status < 500 or status == 503)
    if row["service"] == "console" and code in {None, "service_away"}:  # a page, which may say that a service is away
        code, status = ("forbidden", 403) if status == 403 else (None, min(status, 499))
    may = row[staff.role] == "yes" or (row[staff.role] == "province" and staff.region == "220000")
    return (status != 401 and status < 500 and code not in REFUSALS) if may else (status == 403 and code in REFUSALS)


@pytest.mark.postgres
@pytest.mark.parametrize("service", FACES)
async def test_every_cell_of_the_table_is_what_the_route_does(postgres: Postgres, home: Path, admin: Any, service):
    wrong = []
    async with face(postgres, home, service) as here:
        for row in (row for row in TABLE if row["service"] == service):
            status, _ = await asked(here, row, None)
            if (status in {401, 303}) != (row["right"] != "public") and row["path"] not in ENTRANCES:
                wrong.append((row["method"], row["path"], "nobody", status, ""))
            for staff in EVERYBODY if (service, row["path"]) != ENDLESS else []:
                await admin.execute(SESSION, key_of(staff.name), staff.name)
                status, code = await asked(here, row, staff)
                if not is_as_said(row, staff, status, code):
                    wrong.append((row["method"], row["path"], staff.name, status, code))

    assert wrong == []


def test_what_is_open_to_whoever_comes_is_little():
    assert {row["path"] for row in TABLE if row["right"] == "public"} == {
        *("/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"),
        *("/login", "/logout", "/login/provider", "/login/provider/back"),
    }
