"""What falls due by the database's clock: a deadline, then tier after tier; an alarm that nobody answered."""

from datetime import timedelta

import pytest

from services.hazards.handlers import open_or_join_cases, open_reported_cases
from services.hazards.schedule import climb, open_unanswered
from shared.vocabulary import Grade
from tests.hazards.conftest import Hear
from tests.hazards.signs import ENTERPRISE, alarm, report

pytestmark = pytest.mark.postgres


async def case(db):
    return await db.fetchrow("SELECT *, now() AS now FROM cases WHERE enterprise = $1", ENTERPRISE)


async def kinds(db) -> list[str]:
    rows = await db.fetch(
        "SELECT t.kind FROM timeline t JOIN cases c ON c.id = t.case_id WHERE c.enterprise = $1 ORDER BY t.version",
        ENTERPRISE,
    )
    return [row["kind"] for row in rows]


async def fall_due(db) -> None:
    """As if the time had passed."""
    await db.execute(
        "UPDATE cases SET due_at = due_at - interval '1 year', next_check_at = now() - interval '1 second' "
        "WHERE enterprise = $1 AND next_check_at IS NOT NULL",
        ENTERPRISE,
    )


async def test_a_case_that_is_not_due_is_left_alone(db, hear: Hear):
    await hear(open_reported_cases, [report(grade=Grade.MAJOR)])
    await db.execute("UPDATE cases SET next_check_at = now() + interval '1 second' WHERE enterprise = $1", ENTERPRISE)

    await climb(db)

    assert await kinds(db) == ["opened"]


async def test_an_overdue_case_climbs_county_city_province_and_rests(db, hear: Hear):
    await hear(open_reported_cases, [report(grade=Grade.MAJOR)])
    seen = []
    for _ in range(4):
        await fall_due(db)
        await climb(db)
        found = await case(db)
        seen.append((found["tier"], found["overdue"], found["next_check_at"] and found["next_check_at"] - found["now"]))

    ten = timedelta(minutes=10)
    assert seen == [("county", True, ten), ("city", True, ten), ("province", True, None), ("province", True, None)]
    assert await kinds(db) == ["opened", "overdue", "escalated", "escalated"]


async def test_each_step_of_the_climb_is_told_once(db, hear: Hear):
    await hear(open_reported_cases, [report(grade=Grade.MAJOR)])
    await fall_due(db)

    await climb(db)
    await climb(db)

    rows = await db.fetch("SELECT id FROM outbox WHERE topic = 'cases' AND key = $1", str((await case(db))["id"]))
    assert len({row["id"] for row in rows}) == len(rows) == 2


async def test_a_case_that_is_being_rectified_climbs_by_the_period_of_its_grade(db, hear: Hear):
    await hear(open_reported_cases, [report(grade=Grade.GENERAL)])
    await db.execute("UPDATE cases SET state = 'rectifying' WHERE enterprise = $1", ENTERPRISE)
    await fall_due(db)

    await climb(db)

    found = await case(db)
    assert found["next_check_at"] - found["now"] == timedelta(days=3)


@pytest.mark.parametrize("state", ["closed", "void"])
async def test_what_has_ended_does_not_climb(db, hear: Hear, state):
    await hear(open_reported_cases, [report()])
    await fall_due(db)
    await db.execute("UPDATE cases SET state = $2 WHERE enterprise = $1", ENTERPRISE, state)

    await climb(db)

    assert await kinds(db) == ["opened"]


async def stuck(db) -> list[tuple[str, str]]:
    return [(row["key"], row["reason"]) for row in await db.fetch("SELECT key, reason FROM stuck_rows ORDER BY key")]


async def test_a_case_that_nobody_can_read_holds_up_no_other_and_climbs_once_it_can(db, hear: Hear):
    await hear(open_reported_cases, [report(f"h-{number}", grade=Grade.MAJOR) for number in range(5)])
    cases = [row["id"] for row in await db.fetch("SELECT id FROM cases WHERE enterprise = $1", ENTERPRISE)]
    await db.execute("UPDATE cases SET tier = 'village' WHERE id = $1", cases[2])
    await fall_due(db)

    assert await climb(db) == len(cases) - 1
    assert await climb(db) == 0
    held_back = await stuck(db)
    await db.execute("UPDATE cases SET tier = 'county' WHERE id = $1", cases[2])
    await db.execute("UPDATE stuck_rows SET again_at = now()")

    assert await climb(db) == 1
    assert held_back == [(str(cases[2]), "ValueError")]
    assert await stuck(db) == []
    assert await kinds(db) == ["opened"] * 5 + ["overdue"] * 5


async def wait_too_long(db) -> None:
    await db.execute("UPDATE alarms SET unanswered_at = now() - interval '1 second' WHERE unanswered_at IS NOT NULL")


async def test_a_yellow_alarm_that_nobody_answered_opens_a_case_once(db, hear: Hear):
    await hear(open_or_join_cases, [alarm("yellow", data={"value": 85.0, "message": "高报"})])
    await wait_too_long(db)

    await open_unanswered(db)
    await open_unanswered(db)

    found = await case(db)
    place = await db.fetchrow("SELECT case_id, unanswered_at FROM alarms WHERE enterprise = $1", ENTERPRISE)
    assert (found["level"], found["title"], found["occurrences"]) == ("yellow", "T-101 黄色报警：高报", 1)
    assert tuple(place) == (found["id"], None)
    assert await kinds(db) == ["opened"]


async def test_an_alarm_that_nobody_can_read_holds_up_no_other(db, hear: Hear):
    await hear(open_or_join_cases, [alarm("yellow", point=f"T-{number}") for number in (101, 102, 103)])
    await wait_too_long(db)
    await db.execute("UPDATE alarms SET level = 'violet' WHERE enterprise = $1 AND point = 'T-102'", ENTERPRISE)

    await open_unanswered(db)
    await open_unanswered(db)

    opened = await db.fetch("SELECT point FROM cases WHERE enterprise = $1 ORDER BY point", ENTERPRISE)
    assert [row["point"] for row in opened] == ["T-101", "T-103"]
    assert await stuck(db) == [(f"{ENTERPRISE}/T-102/violet", "ValueError")]


async def test_a_yellow_alarm_that_ended_or_still_has_time_opens_none(db, hear: Hear):
    await hear(open_or_join_cases, [alarm("yellow"), alarm("yellow", "cleared", 1), alarm("yellow", point="T-102")])
    await db.execute("UPDATE alarms SET unanswered_at = now() + interval '1 s' WHERE unanswered_at IS NOT NULL")

    await open_unanswered(db)

    assert await case(db) is None


async def test_a_blue_alarm_waits_for_ever_as_the_policy_says(db, hear: Hear):
    await hear(open_or_join_cases, [alarm("blue")])
    await wait_too_long(db)

    await open_unanswered(db)

    assert await case(db) is None


async def test_an_unanswered_alarm_joins_the_case_that_is_open_at_its_point(db, hear: Hear):
    await hear(open_or_join_cases, [alarm("yellow"), alarm("orange", minute=1)])
    await wait_too_long(db)

    await open_unanswered(db)

    assert await kinds(db) == ["opened", "repeated"]
    assert sorted((await case(db))["active"]) == ["orange", "yellow"]


async def test_a_yellow_alarm_that_repeats_opens_a_case_when_the_policy_says_so(db, hear: Hear):
    await db.execute("SET LOCAL ROLE hazards_owner")
    await db.execute("UPDATE case_policies SET repeats = 2 WHERE level = 'yellow'")
    await db.execute("SET LOCAL ROLE hazards_work")

    await hear(open_or_join_cases, [alarm("yellow"), alarm("yellow", "cleared", 1)])
    before = await case(db)
    await hear(open_or_join_cases, [alarm("yellow", minute=2)])

    assert before is None
    assert (await case(db))["level"] == "yellow"
