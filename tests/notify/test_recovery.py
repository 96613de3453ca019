"""After a restore notify tells nobody again, knows who had answered, and holds still until it has read everything."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.notify import recovery
from services.notify.delivery import Sender
from services.notify.store.deliveries import forget
from shared.events.notifications import NotificationChanged
from shared.recovery import turn
from shared.topics import NOTIFICATIONS
from shared.vocabulary import CaseKind, NotificationKind
from tests.notify.conftest import Hear
from tests.notify.stand import Door, Phone, on_duty
from tests.notify.test_delivery import settled
from tests.notify.world import COUNTY, case_event
from tests.stack import until

pytestmark = pytest.mark.postgres

PEOPLE = [("anna", COUNTY)]
LOST = "cases, calls, notifications, deliveries, attempts, inbox, outbox, dead_letters, told"


async def lose_all(owner: asyncpg.Connection) -> list[NotificationChanged]:
    """The database goes back to before anything was told; the bus still has what notify said."""
    said = await owner.fetch("SELECT id, body FROM outbox ORDER BY seq")
    events = [NOTIFICATIONS.reader.validate_json(row["body"]) for row in said]
    await owner.execute(f"TRUNCATE {LOST}; INSERT INTO recovery VALUES ('cases', 0, 100)")
    await owner.executemany(
        "INSERT INTO recalled (id, subject, body) VALUES ($1, $2, $3)",
        [(event.id, event.data.case, event.wire()) for event in events],
    )
    return events


async def caught_up(owner: asyncpg.Connection, db: asyncpg.Connection) -> None:
    """All is read again; the recovery ends."""
    await owner.execute("UPDATE recovery SET until = 0")
    while await owner.fetchval("SELECT EXISTS (SELECT FROM recovery)"):
        async with db.transaction():
            await turn(db, recovery.finish)


@pytest.fixture(autouse=True)
async def no_recovery(owner: asyncpg.Connection) -> Any:
    yield
    await owner.execute("TRUNCATE recovery, recalled, told")


async def test_what_had_arrived_is_not_sent_again(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, PEOPLE, phone.url)
    await hear(case_event())
    await settled(db)
    await lose_all(owner)

    await hear(case_event())
    await caught_up(owner, db)
    await settled(db)

    assert phone.heard() == [("anna", "created")]
    _, page = await door.ask("/v1/notifications")
    assert [(each["state"], each["attempts"][0]["detail"]) for each in page["items"]] == [
        ("sent", "it had arrived before the database was restored")
    ]


async def test_what_had_not_arrived_is_sent(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, PEOPLE, phone.url)
    phone.answers = [503]
    phone.headers = {"Retry-After": "3600"}
    await hear(case_event())
    await until(lambda: db.fetchval("SELECT count(*) FROM attempts"))
    await lose_all(owner)

    await hear(case_event())
    await caught_up(owner, db)
    await settled(db)

    assert phone.heard() == [("anna", "created")]


async def test_nothing_is_sent_and_nothing_is_changed_by_people_while_it_reads_again(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, PEOPLE, phone.url)
    await owner.execute("INSERT INTO recovery VALUES ('cases', 0, 100)")

    await hear(case_event())
    _, page = await door.ask("/v1/notifications")
    status, answer = await door.ask(f"/v1/notifications/{page['items'][0]['id']}/acknowledge", "POST")

    assert (status, answer["code"]) == (503, "recovering")
    assert await db.fetchval("SELECT state || tries FROM deliveries") == "waiting0"
    await caught_up(owner, db)
    await settled(db)
    assert phone.heard() == [("anna", "created")]


async def test_who_had_answered_has_answered_and_the_answer_is_not_counted_again(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, PEOPLE, phone.url)
    await hear(case_event())
    await settled(db)
    _, page = await door.ask("/v1/notifications")
    await door.ask(f"/v1/notifications/{page['items'][0]['id']}/acknowledge", "POST", name="anna")
    await settled(db)
    before = await lose_all(owner)

    await hear(case_event())
    await caught_up(owner, db)
    await settled(db)

    assert phone.heard() == [("anna", "created"), ("anna", "acknowledged")]
    call = await db.fetchrow("SELECT state, answered_by, next_step_at FROM calls")
    assert tuple(call) == ("answered", "anna", None)
    bodies = await db.fetch("SELECT body FROM outbox")
    after = [NOTIFICATIONS.reader.validate_json(row["body"]) for row in bodies]
    assert {event.id for event in after} <= {event.id for event in before}
    (answer,) = [event for event in before if event.data.kind is NotificationKind.ACKNOWLEDGED]
    row = await db.fetchrow("SELECT first_created_at, answered_at FROM cases")
    assert tuple(row) == (answer.data.first_created_at, answer.time)


async def test_a_step_that_is_read_again_is_not_the_first_answer_again(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, PEOPLE, phone.url)
    await hear(case_event())
    await settled(db)
    _, page = await door.ask("/v1/notifications")
    await door.ask(f"/v1/notifications/{page['items'][0]['id']}/acknowledge", "POST", name="anna")
    await settled(db)
    before = await lose_all(owner)

    await hear(case_event(), case_event(CaseKind.CONFIRMED, "confirmed", by="li"))

    bodies = await db.fetch("SELECT body FROM outbox")
    after = [NOTIFICATIONS.reader.validate_json(row["body"]) for row in bodies]
    assert [event.data.case_first for event in before].count(True) == 1
    assert [event.data.kind for event in after] == [NotificationKind.CREATED, NotificationKind.ACKNOWLEDGED]
    assert [event.data.case_first for event in after] == [False, False]
    assert {event.data.first_created_at for event in after} == {event.data.first_created_at for event in before}
    await caught_up(owner, db)


async def test_old_messages_are_forgotten_with_their_attempts_and_young_ones_are_not(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, PEOPLE, phone.url)
    await hear(case_event(case="old"), case_event(name="young", case="young"))
    await settled(db)
    old = await owner.fetchval("SELECT id FROM deliveries LIMIT 1")
    await owner.execute("UPDATE deliveries SET due_at = now() - interval '401 days' WHERE id = $1", old)

    async with db.transaction():
        gone = await forget(db, timedelta(days=400), 100)

    assert gone == 1
    assert old not in [row["delivery_id"] for row in await db.fetch("SELECT delivery_id FROM attempts")]
    counts = [await db.fetchval(f"SELECT count(*) FROM {t}") for t in ("deliveries", "attempts", "notifications")]
    assert counts == [1, 1, 2]
