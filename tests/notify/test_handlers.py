"""The handler on a real database: one call per event, however often and in whatever batch it comes."""

from collections.abc import Awaitable, Callable

import asyncpg
import orjson
import pytest

from services.notify.store import calls as store
from shared.events.notifications import NotificationChanged
from shared.vocabulary import CaseKind
from tests.notify.conftest import Hear
from tests.notify.stand import Door, on_duty
from tests.notify.world import CITY, COUNTY, PROVINCE, case_event, named

pytestmark = pytest.mark.postgres

TIERS = [("anna", COUNTY), ("boris", CITY), ("cao", PROVINCE)]


async def said(db: asyncpg.Connection) -> list[tuple[str, str | None]]:
    """(kind, contact) of what others hear, in order."""
    rows = await db.fetch("SELECT body FROM outbox WHERE topic = 'notifications' ORDER BY seq")
    events = [NotificationChanged.model_validate(orjson.loads(row["body"])) for row in rows]
    return [(event.data.kind.value, event.data.contact) for event in events]


async def test_a_case_calls_the_county_and_tells_of_it(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")

    held = await hear(case_event())

    assert not held
    assert await said(db) == [("created", "anna")]
    body = orjson.loads(await db.fetchval("SELECT body FROM deliveries"))
    assert body["type"] == "notification.created"
    assert (body["data"]["state"], body["data"]["contact"], body["data"]["attempts"]) == ("pending", "anna", [])
    assert body["data"]["event"] == {"source": "//test/dcs", "id": "case-opened"}


async def test_a_redelivered_event_changes_nothing(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")
    await hear(case_event())
    before = await said(db)

    await hear(case_event(), case_event())

    assert await said(db) == before
    assert await db.fetchval("SELECT count(*) FROM calls") == 1


async def test_a_call_comes_back_as_it_was_saved(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")
    await hear(case_event(), case_event(CaseKind.CLEARED, in_alarm=False))

    async with db.transaction():
        known = await store.calls_of_cases(db, [named("case")])
        now = await store.now(db)
        await store.save(db, known, known.values(), now)
        again = await store.calls_of_cases(db, [named("case")])

    assert known == again
    (call,) = known.values()
    assert [each.message.value for each in call.notifications[0].deliveries] == ["created", "ended"]


async def test_every_verdict_stands_in_the_inbox(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")

    await hear(case_event(), case_event(CaseKind.REPEATED), case_event(CaseKind.COMMENTED))

    rows = await db.fetch("SELECT held, count(*) FROM inbox GROUP BY held ORDER BY held NULLS FIRST")
    assert [tuple(row) for row in rows] == [(None, 1), ("already_told", 1), ("concerns_nobody_on_duty", 1)]


async def test_a_call_climbs_tier_by_tier_while_nobody_answers(
    door: Door, db: asyncpg.Connection, hear: Hear, time_passes: Callable[[], Awaitable[int]]
) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")
    await hear(case_event())

    taken = [await time_passes() for _ in range(4)]

    assert taken == [1, 1, 1, 0]
    assert await said(db) == [
        ("created", "anna"),
        ("escalated", "anna"),
        ("created", "boris"),
        ("escalated", "boris"),
        ("created", "cao"),
    ]
    assert await db.fetchval("SELECT state FROM calls") == "exhausted"


async def test_confirming_the_case_stops_the_climb(
    door: Door, db: asyncpg.Connection, hear: Hear, time_passes: Callable[[], Awaitable[int]]
) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")
    await hear(case_event())

    await hear(case_event(CaseKind.CONFIRMED, by="zhao"))

    assert await time_passes() == 0
    assert await said(db) == [("created", "anna"), ("acknowledged", "anna")]
    assert await db.fetchval("SELECT acknowledged_by FROM notifications") == "zhao"


async def test_nobody_on_duty_anywhere_is_held_at_every_tier(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await hear(case_event())

    rows = await db.fetch("SELECT tier, state, reason FROM notifications ORDER BY tier")
    assert {tuple(row) for row in rows} == {(tier, "held", "nobody_on_duty") for tier in ("county", "city", "province")}


async def test_a_later_call_of_the_case_keeps_the_first_time(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, "http://127.0.0.1:9")
    await hear(case_event())

    await hear(case_event(CaseKind.WORSENED))

    assert await db.fetchval("SELECT count(DISTINCT first_created_at) FROM calls") == 1
    assert await db.fetchval("SELECT count(*) FROM calls") == 2
