"""Messages reach a real receiver signed, in order and once, whatever it answers for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from services.notify.app import build
from services.notify.delivery import Sender
from services.notify.schedule import escalate
from shared import faults
from shared.settings import Settings
from shared.vocabulary import CaseKind, Level
from tests.notify.conftest import Hear
from tests.notify.stand import Door, Phone, on_duty
from tests.notify.world import CITY, COUNTY, PROVINCE, case_event
from tests.stack import until

pytestmark = pytest.mark.postgres

TIERS = [("anna", COUNTY), ("boris", CITY), ("cao", PROVINCE)]


async def settled(db: asyncpg.Connection, timeout: float = 20) -> None:
    """Waits until no message is on its way."""

    async def on_their_way() -> int:
        waiting: int = await db.fetchval(
            "SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'behind', 'sending')"
        )
        return waiting

    await until(on_their_way, lambda count: count == 0, timeout)


async def hurry(owner: asyncpg.Connection) -> None:
    """Lets every pause end now."""
    await owner.execute("UPDATE deliveries SET due_at = now() WHERE state = 'waiting'")


async def test_a_notification_is_delivered_signed_and_becomes_sent(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)

    await hear(case_event())
    sender.wake()
    await settled(db)

    assert phone.heard() == [("anna", "created")]
    _, page = await door.ask("/v1/notifications")
    (told,) = page["items"]
    assert told["state"] == "sent"
    assert [(each["channel"], each["outcome"]) for each in told["attempts"]] == [("webhook", "delivered")]
    assert phone.taken[0]["data"]["id"] == told["id"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_receiver_that_fails_for_a_while_gets_each_notification_once(
    status: int,
    door: Door,
    owner: asyncpg.Connection,
    db: asyncpg.Connection,
    hear: Hear,
    phone: Phone,
    sender: Sender,
) -> None:
    await on_duty(door, TIERS, phone.url)
    phone.answers = [status] * 12

    await hear(*(case_event(case=f"case-{number}") for number in range(6)))
    while len(phone.taken) < 6:
        await asyncio.sleep(0.02)
        await hurry(owner)
    await settled(db)

    assert len({each["id"] for each in phone.taken}) == len(phone.taken) == 6
    outcomes = await db.fetch("SELECT outcome, count(*) FROM attempts GROUP BY outcome ORDER BY outcome")
    assert [tuple(row) for row in outcomes] == [("delivered", 6), ("retry", 12)]


async def test_a_receiver_may_ask_for_patience(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)
    phone.answers, phone.headers = [429], {"Retry-After": "120"}

    await hear(case_event())

    async def pause() -> timedelta | None:
        left: timedelta | None = await db.fetchval(
            "SELECT due_at - now() FROM deliveries WHERE state = 'waiting' AND tries = 1"
        )
        return left

    left = await until(pause)
    assert timedelta(seconds=110) < left <= timedelta(seconds=120)


@pytest.mark.parametrize("status", [302, 400, 410])
async def test_any_other_answer_is_final_and_the_next_tier_is_told_at_once(
    status: int,
    door: Door,
    db: asyncpg.Connection,
    hear: Hear,
    phone: Phone,
    sender: Sender,
) -> None:
    await on_duty(door, TIERS, phone.url)
    phone.answers, phone.headers = [status], {"Location": "http://127.0.0.1:1/"}

    await hear(case_event())
    await settled(db)
    async with db.transaction():
        assert await escalate(db) == 1
    await settled(db)

    assert phone.heard() == [("boris", "created")]
    assert await db.fetchval("SELECT state FROM notifications WHERE contact = 'anna'") == "failed"


async def test_a_call_that_nobody_can_read_holds_up_no_other(
    door: Door, db: asyncpg.Connection, owner: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)
    bad, good = case_event(case="bad"), case_event(case="good")
    await hear(bad, good)
    await settled(db)
    await owner.execute("UPDATE calls SET kind = 'rumour' WHERE id = $1", bad.id)
    await owner.execute("UPDATE calls SET next_step_at = now()")

    async with db.transaction():
        assert await escalate(db) == 1
    await settled(db)

    assert phone.heard().count(("boris", "created")) == 1
    stuck = await db.fetch("SELECT timer, key, reason FROM stuck_rows")
    assert [tuple(row) for row in stuck] == [("escalate", str(bad.id), "ValueError")]


async def test_a_sender_that_does_not_get_through_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.delivery.LATE_S", 1.0)
    service = build(settings.model_copy(update={"postgres_work": "postgresql://nobody:hush@127.0.0.1:1/fengsui"}))
    run, *_ = service.tasks(service)
    (reason,) = service.checks
    at_first = reason()

    sending = asyncio.create_task(run())
    told = await until(lambda: asyncio.sleep(0, reason()), lambda said: said is not None and "Refused" in said)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    assert at_first is None
    assert told.startswith("sender: no pass for ")
    assert told.endswith(" s ConnectionRefusedError ECONNREFUSED")


async def test_the_end_is_told_to_whoever_was_told_of_the_beginning(
    door: Door,
    db: asyncpg.Connection,
    hear: Hear,
    phone: Phone,
    sender: Sender,
    time_passes: Callable[[], Awaitable[int]],
) -> None:
    await on_duty(door, TIERS, phone.url)
    await hear(case_event())
    await settled(db)
    await time_passes()
    await settled(db)

    await hear(case_event(CaseKind.CLEARED, in_alarm=False))
    await settled(db)
    await hear(case_event(CaseKind.ACCEPTED, in_alarm=False))
    await settled(db)

    assert [said for who, said in phone.heard() if who == "anna"] == ["created", "escalated", "ended", "acknowledged"]
    assert [said for who, said in phone.heard() if who == "boris"] == ["created", "ended", "acknowledged"]
    assert len({each["id"] for each in phone.taken}) == len(phone.taken)


async def test_an_alarm_that_is_here_again_has_its_own_end(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)

    await hear(case_event(), case_event(CaseKind.CLEARED, "first", in_alarm=False))
    await hear(case_event(CaseKind.REPEATED, returned=True))
    await hear(case_event(CaseKind.CLEARED, "second", in_alarm=False))
    await settled(db)

    by_notification: dict[str, list[str]] = {}
    for each in phone.taken:
        by_notification.setdefault(each["data"]["id"], []).append(each["type"])
    assert list(by_notification.values()) == [["notification.created", "notification.ended"]] * 2


async def test_an_acknowledgement_reaches_all_who_were_told_and_stops_what_was_not_sent(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, settings: Settings
) -> None:
    await on_duty(door, [("anna", COUNTY), ("bert", COUNTY)], phone.url)
    await hear(case_event())
    await db.execute("UPDATE deliveries SET due_at = now() + interval '1 hour' WHERE contact = 'bert'")
    sending = Sender(settings, lambda: None)
    task = asyncio.create_task(sending.run())
    await until(lambda: asyncio.sleep(0, phone.heard()))

    _, page = await door.ask("/v1/notifications?contact=anna")
    status, told = await door.ask(f"/v1/notifications/{page['items'][0]['id']}/acknowledge", "POST", name="zhao")
    await settled(db)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (status, told["state"], told["acknowledged_by"]) == (200, "acknowledged", "zhao")
    assert phone.heard() == [("anna", "created"), ("anna", "acknowledged")]
    rows = await db.fetch("SELECT contact, state FROM notifications ORDER BY contact")
    assert [tuple(row) for row in rows] == [("anna", "acknowledged"), ("bert", "acknowledged")]


async def test_two_senders_send_each_message_once(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender, settings: Settings
) -> None:
    await on_duty(door, TIERS, phone.url)
    second = Sender(settings, lambda: None)
    task = asyncio.create_task(second.run())

    await hear(*(case_event(case=f"case-{number}") for number in range(100)))
    await settled(db)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert len({each["id"] for each in phone.taken}) == phone.tries == 100


async def test_an_attempt_whose_end_nobody_knows_is_repeated_and_marked(
    door: Door,
    owner: asyncpg.Connection,
    db: asyncpg.Connection,
    hear: Hear,
    phone: Phone,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await on_duty(door, TIERS, phone.url)
    monkeypatch.setattr(faults, "_rules", faults._parse("attempt.after_answer=raise#1"))

    await hear(case_event())
    await until(lambda: asyncio.sleep(0, phone.tries))
    await owner.execute("UPDATE deliveries SET due_at = now()")  # the lease runs out
    await settled(db)

    assert [each["id"] for each in phone.taken] == [phone.taken[0]["id"]] * 2
    outcomes = await db.fetch("SELECT outcome FROM attempts ORDER BY try")
    assert [row["outcome"] for row in outcomes] == ["repeated", "delivered"]


REFUSE_ONE = """
CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.notification_id = (SELECT min(id::text)::uuid FROM notifications) THEN
        RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_one BEFORE INSERT ON attempts FOR EACH ROW WHEN (NEW.outcome = 'delivered')
    EXECUTE FUNCTION refuse_one();
"""


async def test_an_answer_that_cannot_be_kept_holds_up_no_other(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)
    await owner.execute(REFUSE_ONE)

    try:
        await hear(*(case_event(case=f"case-{number}") for number in range(6)))
        left = "SELECT state, due_at > now() + interval '50 seconds' FROM deliveries WHERE state <> 'delivered'"
        rows = await until(lambda: db.fetch(left), lambda rows: [tuple(row) for row in rows] == [("sending", True)], 20)
    finally:
        await owner.execute("DROP FUNCTION refuse_one CASCADE")
    await owner.execute("UPDATE deliveries SET due_at = now() WHERE state = 'sending'")
    await settled(db)

    assert len(rows) == 1
    assert len({each["id"] for each in phone.taken}) == 6
    assert phone.tries == 7
    outcomes = await db.fetch("SELECT outcome, count(*) FROM attempts GROUP BY outcome ORDER BY outcome")
    assert [tuple(row) for row in outcomes] == [("delivered", 6), ("repeated", 1)]


async def test_a_stop_keeps_every_answer_but_the_one_that_cannot_be_kept(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, settings: Settings
) -> None:
    await on_duty(door, TIERS, phone.url)
    await owner.execute(REFUSE_ONE)
    phone.pause = 1.0
    await hear(*(case_event(case=f"case-{number}") for number in range(6)))
    sending = Sender(settings, lambda: None)
    task = asyncio.create_task(sending.run())

    try:
        await until(lambda: asyncio.sleep(0, phone.tries), lambda tries: tries == 6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    finally:
        await owner.execute("DROP FUNCTION refuse_one CASCADE")

    kept = await db.fetch("SELECT state, due_at > now() + interval '50 seconds' FROM deliveries ORDER BY state")
    assert [tuple(row) for row in kept] == [("delivered", False)] * 5 + [("sending", True)]


async def test_a_message_whose_tries_a_person_lets_begin_anew_is_sent(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)
    await hear(case_event())
    await settled(db)

    await owner.execute("UPDATE deliveries SET state = 'sending', tries = 1, due_at = now()")
    await settled(db)

    assert phone.heard() == [("anna", "created")] * 2


async def test_an_answer_that_comes_after_its_lease_went_to_another_changes_nothing(
    door: Door, owner: asyncpg.Connection, db: asyncpg.Connection, hear: Hear, phone: Phone, settings: Settings
) -> None:
    await on_duty(door, TIERS, phone.url)
    await hear(case_event())
    phone.pause = 1.0
    slow, quick = Sender(settings, lambda: None), Sender(settings, lambda: None)
    first = asyncio.create_task(slow.run())
    await until(lambda: asyncio.sleep(0, phone.tries))

    await owner.execute("UPDATE deliveries SET due_at = now()")
    second = asyncio.create_task(quick.run())
    await settled(db)
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    outcomes = await db.fetch("SELECT try, outcome FROM attempts ORDER BY try")
    assert [tuple(row) for row in outcomes] == [(1, "repeated"), (2, "delivered")]


async def test_a_stop_waits_for_what_is_under_way(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, settings: Settings
) -> None:
    await on_duty(door, TIERS, phone.url)
    phone.pause = 0.5
    await hear(case_event())
    sending = Sender(settings, lambda: None)
    task = asyncio.create_task(sending.run())
    await until(lambda: asyncio.sleep(0, phone.tries))

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await db.fetchval("SELECT state FROM notifications") == "sent"


async def test_a_receiver_that_hangs_does_not_hold_up_the_others(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    silent = await asyncio.start_server(lambda _r, _w: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    await on_duty(door, [("anna", COUNTY)], phone.url)
    await on_duty(door, [("stone", COUNTY)], f"http://127.0.0.1:{port}")

    await hear(*(case_event(case=f"case-{number}") for number in range(300)))
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.sleep(0, len(phone.taken)), lambda count: count == 300)
    took = asyncio.get_running_loop().time() - began
    silent.close()

    assert took < 15
    assert {who for who, _ in phone.heard()} == {"anna"}


async def test_systems_hear_everything_one_by_one(
    door: Door, db: asyncpg.Connection, hear: Hear, phone: Phone, sender: Sender
) -> None:
    await on_duty(door, TIERS, phone.url)
    await on_duty(door, [("hub", PROVINCE)], phone.url, role="system", rostered="no")

    await hear(case_event(), case_event(case="blue", level=Level.BLUE), case_event(CaseKind.WORSENED))
    await settled(db)

    heard = sorted(phone.heard())
    assert heard == [("anna", "created")] * 3 + [("hub", "created")] * 3
