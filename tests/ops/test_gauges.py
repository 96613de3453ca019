"""What only the database knows becomes a gauge: each `look` on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from services.hazards import metrics as hazards
from services.ingest import metrics as ingest
from services.notify import metrics as notify
from services.reporting import metrics as reporting
from shared import telemetry
from shared.database import Connection, connect
from shared.gauges import Gauges, nothing_more
from shared.settings import Settings
from tests.stack import until, uscc

pytestmark = pytest.mark.postgres

Rolled = Callable[[str], Awaitable[asyncpg.Connection]]
CASE = """INSERT INTO cases (id, cause, version, state, level, title, enterprise, enterprise_name, region, industry,
    opened_at, overdue, tier, occurrences, active, next_check_at)
    VALUES ($1, $2, 1, $3, 'red', 't', 'e', 'n', '220203', 'i', now(), false, 'county', 1, '{}',
        now() - $4::text::interval)"""
COPY = """INSERT INTO cases (id, version, state, region, industry, level, grade, enterprise, opened_at, opened_on,
    due_at) VALUES ($1, 1, $2, '220203', 'i', $3, '', 'e', now(), current_date, now() + $4::text::interval)"""
CONTACT = "INSERT INTO contacts (contact, name, region, role, webhook) VALUES ($1, $1, $2, 'officer', $3)"
SHIFT = """INSERT INTO rosters (roster, region, contact, starts_at, ends_at, position)
    VALUES ('r', $1, $2, now() - interval '2 hours', now() + $3::text::interval, 'primary')"""
PENDING = """WITH told AS (
    INSERT INTO notifications (id, call_id, case_id, region, enterprise, tier, contact, on_duty, state, created_at)
    VALUES ($1, $2, $2, '220203', 'e', 'county', 'anna', true, 'pending', now() - interval '90 seconds')
)
INSERT INTO deliveries (id, notification_id, call_id, place, contact, message, state, tries, due_at, body)
VALUES ($1, $1, $2, 0, 'anna', 'created', 'waiting', 3, now() + interval '1 hour', '')"""


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(f"fengsui_{name}", labels)
    assert found is not None, name
    return found


@asynccontextmanager
async def rolled_back(postgres: Postgres, service: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do anything in the service's schema, for nothing."""
    line = await connect(in_our_database(postgres.admin_dsn), "test", search_path=service)
    transaction = line.transaction()
    await transaction.start()
    try:
        yield line
    finally:
        await transaction.rollback()
        await line.close()


async def look(db: asyncpg.Connection, service: str, own: Callable[[Connection], Awaitable[None]]) -> None:
    """As the service does, with no more rights than it has."""
    await db.execute(f"SET LOCAL ROLE {service}_work")
    await own(db)
    await db.execute("RESET ROLE")


async def test_a_timer_is_as_late_as_its_oldest_due_row_that_is_not_stuck(postgres: Postgres):
    async with rolled_back(postgres, "hazards") as db:
        await db.execute("UPDATE cases SET next_check_at = NULL")
        first, second = uuid4(), uuid4()
        await db.execute(CASE, first, first, "reported", "90 seconds")
        await db.execute(CASE, second, second, "reported", "40 seconds")
        await db.execute(CASE, uuid4(), uuid4(), "closed", "1 hour")
        await look(db, "hazards", hazards.look)
        oldest = value("timer_late_seconds", timer="climb")
        await db.execute(
            "INSERT INTO stuck_rows (timer, key, reason, again_at) VALUES ('climb', $1, 'x', now())", str(first)
        )
        await look(db, "hazards", hazards.look)
        next_oldest = value("timer_late_seconds", timer="climb")

    assert 90 <= oldest < 3600
    assert 40 <= next_oldest < oldest
    assert value("timer_late_seconds", timer="open_unanswered") >= 0


async def test_a_notification_that_does_not_arrive_is_seen_however_late_its_next_attempt_is(postgres: Postgres):
    async with rolled_back(postgres, "notify") as db:
        await db.execute("UPDATE deliveries SET state = 'withdrawn'")
        await look(db, "notify", notify.look)
        before = value("oldest_pending_seconds"), value("deliveries_waiting")
        await db.execute(PENDING, uuid4(), uuid4())
        await look(db, "notify", notify.look)
        during = value("oldest_pending_seconds"), value("deliveries_waiting")
        await db.execute("UPDATE notifications SET state = 'acknowledged'")
        await look(db, "notify", notify.look)

    assert before == (0, 0)
    assert during[0] >= 90
    assert during[1] == 1
    assert value("oldest_pending_seconds") == 0


async def test_a_region_counts_who_can_be_told_now_and_the_province_always(postgres: Postgres):
    async with rolled_back(postgres, "notify") as db:
        await db.execute("DELETE FROM rosters")
        for name, webhook in (("anna", "https://a.example"), ("bo", None), ("cao", "https://c.example")):
            await db.execute(CONTACT, name, "220882", webhook)
        for region, name, end in (
            ("220882", "anna", "1 hour"),
            ("220881", "bo", "1 hour"),
            ("220800", "cao", "-1 hour"),
        ):
            await db.execute(SHIFT, region, name, end)
        await look(db, "notify", notify.look)

    assert value("on_duty", region="220882", tier="county") == 1
    assert value("on_duty", region="220881", tier="county") == 0  # who is on duty cannot be reached
    assert value("on_duty", region="220800", tier="city") == 0  # the shift is over
    assert value("on_duty", region="220000", tier="province") == 0  # no roster ever named it
    assert REGISTRY.get_sample_value("fengsui_on_duty", {"region": "220102", "tier": "county"}) is None


async def test_a_source_is_silent_after_three_of_its_intervals_and_forgotten_after_a_month(postgres: Postgres):
    async with rolled_back(postgres, "ingest") as db:
        await db.execute("DELETE FROM sources")
        for source, heard, interval in (
            ("late", "190 seconds", 60),
            ("spoke", "170 seconds", 60),
            ("promised nothing", "1 day", None),
            ("gone", "31 days", 60),
        ):
            await db.execute(
                "INSERT INTO sources VALUES ($1, $2, now() - $3::text::interval, $4)", uscc(1), source, heard, interval
            )
        await look(db, "ingest", ingest.look)

    assert (value("sources_expected"), value("sources_silent")) == (2, 1)


async def test_open_and_overdue_cases_are_counted_by_level(postgres: Postgres):
    async with rolled_back(postgres, "reporting") as db:
        await db.execute("DELETE FROM cases")
        for state, level, due in (
            ("reported", "red", "-1 hour"),
            ("rectifying", "red", "1 hour"),
            ("closed", "red", "-1 day"),
        ):
            await db.execute(COPY, uuid4(), state, level, due)
        await look(db, "reporting", reporting.look)

    assert (value("cases_open", level="red"), value("cases_overdue", level="red")) == (2, 1)
    assert (value("cases_open", level="blue"), value("cases_overdue", level="blue")) == (0, 0)


async def test_every_process_shows_its_disk_and_the_databases_limits(postgres: Postgres, home: Path):
    settings = Settings(kafka="127.0.0.1:9", postgres_work=postgres.dsn("hazards_work"), home=home)
    telemetry.GAUGES_AT.set(0)

    running = asyncio.create_task(Gauges("hazards", settings, nothing_more).run())
    try:
        await until(lambda: asyncio.sleep(0, value("gauges_timestamp_seconds")), timeout=60)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert 0 < value("home_free_bytes") < value("home_size_bytes")
    assert 0 < value("database_connections") <= value("database_connections_most")
    assert value("database_bytes") > 1_000_000
    assert value("database_xid_age") > 0
    assert value("audit_unsaid") in (0, 1)
