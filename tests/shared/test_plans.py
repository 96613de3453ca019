"""What works batch by batch reads no growing table whole, and keeps no plan from when to do so was cheap."""

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import SERVICES, in_our_database
from shared.database import connect
from shared.statements import statements
from tests.stack import served

pytestmark = pytest.mark.postgres

BOUNDED = frozenset(
    {"accounts", "audit_head", "case_policies", "contacts", "deadline_periods", "gaps", "pg_database", "positions"}
    | {"recalled", "recovery", "rosters", "routes", "sessions", "sources", "stuck_rows"}
)
"""As many rows as there are regions, people, machines or partitions, or fewer; and what a service recalls once."""
WORK = frozenset({"calls_exhausted", "dead_letters_waiting", "deliveries_due", "outbox_unsent", "recalled_first"})
"""Indexes of what waits to be done, and of nothing else."""
ASKED = frozenset({"called", "dead_verdicts", "effects", "figures", "standing", "touched", "verdicts"})
"""Beside the lists and the board: what answers HTTP, planned for its parameters each time."""
RECOUNTS = frozenset({"recount"})


@pytest.fixture(scope="module")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """A server whose tables nobody has filled: what other tests leave in theirs would decide how it plans."""
    async with served(tmp_path_factory.mktemp("fs") / "home") as server:
        yield server


@pytest.mark.parametrize("service", SERVICES)
async def test_no_statement_reads_a_growing_table_whole(postgres: Postgres, service: str) -> None:
    """Nor the whole of an index, which is the same."""
    db = await connect(postgres.dsn(f"{service}_work"), "test", plan_cache_mode="force_generic_plan")
    whole = {}

    for name, sql in (statements("shared") | statements(f"services.{service}")).items():
        if name not in RECOUNTS | ASKED and not name.startswith(("list_", "board_")):
            whole[name] = await planned_whole(db, name, sql)

    await db.close()
    assert {name: tables for name, tables in whole.items() if tables} == {}


async def test_a_claim_looks_at_what_waits_by_contact_and_takes_by_id(postgres: Postgres) -> None:
    db = await connect(postgres.dsn("notify_work"), "test", plan_cache_mode="force_generic_plan")
    await db.execute(f"PREPARE claim AS {statements('services.notify')['claim_deliveries']}")

    lines = [line[0] for line in await db.fetch("EXPLAIN EXECUTE claim (NULL, NULL, NULL, NULL)")]

    await db.close()
    looks = [after for line, after in pairwise(lines) if "using deliveries_due" in line]
    assert sum("contact =" not in look and "contact >" not in look for look in looks) == 1  # the first contact of all


async def test_a_plan_that_was_made_while_a_table_was_small_is_not_kept(postgres: Postgres) -> None:
    db = await connect(in_our_database(postgres.admin_dsn), "test")
    fill = statements("bench.speed")["fill_notify"]
    given = ", ".join(f"'{uuid4()}'::uuid" for _ in range(60))
    ask = f"EXPLAIN (FORMAT JSON) EXECUTE lock (ARRAY[{given}])"
    trial = db.transaction()
    await trial.start()

    try:
        await db.execute(fill, 1, 300)
        await db.execute("ANALYZE notify.deliveries")
        await db.execute("SET LOCAL search_path = notify")
        await db.execute(f"PREPARE lock AS {statements('services.notify')['lock_deliveries']}")
        for _ in range(8):  # five are planned for their parameters in any case
            await db.fetchval(ask)
        await db.execute(fill, 301, 10_000)
        plan = await db.fetchval(ask)
    finally:
        await trial.rollback()
        await db.close()

    assert whole_in(plan) == set()


async def planned_whole(db: asyncpg.Connection, name: str, sql: str) -> set[str]:
    """What a statement's plan for any parameters reads from end to end; nothing where a table is not ours to read, for
    those statements answer HTTP."""
    given = len((await db.prepare(sql)).get_parameters())
    values = f"({', '.join(['NULL'] * given)})" if given else ""
    try:
        async with db.transaction():
            await db.execute(f"PREPARE {name} AS {sql}")
            return whole_in(await db.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name}{values}"))
    except asyncpg.InsufficientPrivilegeError:
        return set()


def whole_in(explained: list[dict[str, Any]]) -> set[str]:
    """What a plan, as EXPLAIN answers in JSON, reads from end to end although it grows."""
    return {table for node in nodes(explained[0]["Plan"]) if (table := read_whole(node))}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def read_whole(scan: dict[str, Any]) -> str | None:
    """What a node reads from end to end although it grows."""
    kind, table, index = scan["Node Type"], scan.get("Relation Name"), scan.get("Index Name")
    if kind in ("ModifyTable", "Bitmap Heap Scan") or "Index Cond" in scan or index in WORK or table in BOUNDED:
        return None
    return f"{table} by {index}" if table and index else table or index
