"""What works batch by batch keeps the plans it made while its tables were empty, so these must hold when they grow."""

import re

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
