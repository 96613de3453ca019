"""What works batch by batch keeps the plans it made while its tables were empty, so these must hold when they grow."""

import re
from itertools import pairwise

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import SERVICES
from shared.database import connect
from shared.statements import statements

BOUNDED = frozenset(
    {"accounts", "audit_head", "case_policies", "contacts", "deadline_periods", "gaps", "pg_database", "positions"}
    | {"recalled", "recovery", "rosters", "routes", "sources"}
)
"""As many rows as there are regions, people, machines or partitions, or fewer; and what a service recalls once."""
RECOUNTS = frozenset({"recount"})


@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_no_statement_reads_a_growing_table_whole(postgres: Postgres, service: str) -> None:
    db = await connect(postgres.dsn(f"{service}_work"), "test", plan_cache_mode="force_generic_plan")
    whole = {}

    for name, sql in (statements("shared") | statements(f"services.{service}")).items():
        if name not in RECOUNTS:
            whole[name] = await read_whole(db, name, sql)

    await db.close()
    assert {name: tables for name, tables in whole.items() if tables} == {}


@pytest.mark.postgres
async def test_a_claim_looks_at_what_waits_by_contact_and_takes_by_id(postgres: Postgres) -> None:
    db = await connect(postgres.dsn("notify_work"), "test", plan_cache_mode="force_generic_plan")
    await db.execute(f"PREPARE claim AS {statements('services.notify')['claim_deliveries']}")

    lines = [line[0] for line in await db.fetch("EXPLAIN EXECUTE claim (NULL, NULL, NULL, NULL)")]

    await db.close()
    looks = [after for line, after in pairwise(lines) if "using deliveries_due" in line]
    assert sum("contact =" not in look and "contact >" not in look for look in looks) == 1  # the first contact of all


async def read_whole(db: asyncpg.Connection, name: str, sql: str) -> set[str]:
    """The growing tables that a statement's plan for any parameters reads from end to end; none that are not ours to
    read: those statements answer HTTP, where plans are not kept."""
    given = len((await db.prepare(sql)).get_parameters())
    try:
        async with db.transaction():
            await db.execute(f"PREPARE {name} AS {sql}")
            lines = await db.fetch(f"EXPLAIN EXECUTE {name}" + (f"({', '.join(['NULL'] * given)})" if given else ""))
    except asyncpg.InsufficientPrivilegeError:
        return set()
    return {table for line in lines for table in re.findall(r"Seq Scan on (\w+)", line[0])} - BOUNDED
