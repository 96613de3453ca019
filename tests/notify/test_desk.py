"""What the desk needs of notify: one answer for a whole case, and who is on duty now and next, with the gaps."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
import orjson
import pytest

from services.notify.domain.call import CallState
from services.notify.domain.course import answered
from services.notify.domain.duty import Gap, Nobody, Shift, following, gaps
from shared.vocabulary import CaseKind, NotificationKind, Position
from tests.notify.conftest import Hear
from tests.notify.stand import Door, on_duty
from tests.notify.world import CITY, COUNTY, NOW, PROVINCE, call, case_event, contact, duty, kinds, named

TIERS = [("anna", COUNTY), ("boris", CITY), ("cao", PROVINCE)]
NOWHERE = "http://127.0.0.1:9"
HOUR = timedelta(hours=1)


def hours(start: int, end: int, name: str = "anna", *, reachable: bool = True) -> Shift:
    who = contact(name, reachable=reachable)
    return Shift(COUNTY, who, Position.PRIMARY, NOW + start * HOUR, NOW + end * HOUR)


def test_a_day_that_is_covered_has_no_gap() -> None:
    assert gaps(COUNTY, [hours(-4, 8), hours(8, 24)], NOW, NOW + 24 * HOUR) == []


def test_the_hours_that_no_roster_covers_are_one_gap() -> None:
    found = gaps(COUNTY, [hours(-4, 8), hours(20, 30)], NOW, NOW + 24 * HOUR)

    assert found == [Gap(NOW + 8 * HOUR, NOW + 20 * HOUR, Nobody.NOBODY_ON_DUTY)]


def test_hours_in_which_nobody_can_be_reached_are_a_gap_of_their_own() -> None:
    found = gaps(COUNTY, [hours(0, 4), hours(4, 8, "mute", reachable=False)], NOW, NOW + 12 * HOUR)

    assert [(gap.start, gap.reason) for gap in found] == [
        (NOW + 4 * HOUR, Nobody.UNREACHABLE),
        (NOW + 8 * HOUR, Nobody.NOBODY_ON_DUTY),
    ]


def test_a_region_without_rosters_is_one_gap_from_end_to_end() -> None:
    assert gaps(COUNTY, [], NOW, NOW + HOUR) == [Gap(NOW, NOW + HOUR, Nobody.NOBODY_ON_DUTY)]


def test_all_who_begin_next_come_next() -> None:
    shifts = [hours(-4, 8), hours(8, 16, "bert"), hours(8, 20, "cora"), hours(16, 24, "dora")]

    assert [shift.contact.contact for shift in following(shifts, NOW)] == ["bert", "cora"]


def test_an_answer_is_heard_even_where_nobody_could_be_told() -> None:
    unheard = call(duty())

    after, steps = answered(unheard, "zhao", NOW + HOUR, case_first=True)

    assert unheard.state is CallState.EXHAUSTED
    assert (after.state, after.answered_by) == (CallState.ANSWERED, "zhao")
    assert kinds(steps) == [(NotificationKind.ACKNOWLEDGED, None)]
    assert steps[0].case_first


def told(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [body["data"] for body in bodies if body["data"]["kind"] == "acknowledged"]


async def outbox(db: asyncpg.Connection) -> list[dict[str, Any]]:
    return [orjson.loads(row["body"]) for row in await db.fetch("SELECT body FROM outbox ORDER BY seq")]


ONE = f"/v1/cases/{named('case')}/acknowledge"


@pytest.mark.postgres
async def test_one_answer_answers_every_call_of_a_case(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event(), case_event(CaseKind.WORSENED), case_event(case="another"))

    status, answer = await door.ask(ONE, "POST", name="zhao", role="officer", region=COUNTY)

    assert (status, answer["case"], answer["acknowledged_by"]) == (200, str(named("case")), "zhao")
    assert sorted((each["kind"], each["state"]) for each in answer["items"]) == [
        ("opened", "acknowledged"),
        ("worsened", "acknowledged"),
    ]
    _, others = await door.ask(f"/v1/notifications?case={named('another')}")
    assert [each["state"] for each in others["items"]] == ["pending"]
    assert [each["case_first"] for each in told(await outbox(db))] == [True, False]


@pytest.mark.postgres
async def test_a_second_answer_changes_nothing(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event())

    first = await door.ask(ONE, "POST", name="zhao")
    again = await door.ask(ONE, "POST", name="li")

    assert first == again
    assert [each["by"] for each in told(await outbox(db))] == ["zhao"]


@pytest.mark.postgres
async def test_many_answer_a_case_at_once_and_one_is_first(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, [("anna", COUNTY), ("bert", COUNTY)], NOWHERE)
    await hear(case_event(), case_event(CaseKind.WORSENED))

    answers = await asyncio.gather(*(door.ask(ONE, "POST", name=f"officer-{number}") for number in range(8)))

    assert {status for status, _ in answers} == {200}
    assert len({answer["acknowledged_by"] for _, answer in answers}) == 1
    said = told(await outbox(db))
    assert len(said) == len({each["notification"] for each in said}) == 4
    assert sum(each["case_first"] for each in said) == 1


@pytest.mark.postgres
async def test_a_case_that_reached_nobody_can_be_answered(
    door: Door, db: asyncpg.Connection, hear: Hear, time_passes: Callable[[], Awaitable[int]]
) -> None:
    await hear(case_event())

    status, answer = await door.ask(ONE, "POST", name="zhao")

    assert (status, answer["acknowledged_by"]) == (200, "zhao")
    assert sorted(each["state"] for each in answer["items"]) == ["acknowledged", "held", "held"]
    assert [(each["by"], each["case_first"]) for each in told(await outbox(db))] == [("zhao", True)]
    assert await time_passes() == 0


@pytest.mark.postgres
async def test_a_case_out_of_sight_is_as_one_that_never_was(door: Door, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event())
    unknown = ONE.replace(str(named("case")), str(named("never")))

    strangers = await door.ask(ONE, "POST", role="officer", region="220302")

    assert strangers[0] == 404
    assert strangers == await door.ask(unknown, "POST", role="officer", region="220302")
    assert (await door.ask(ONE, "POST", role="viewer"))[0] == 403
    assert (await door.ask(ONE, "POST", role="enterprise", enterprise="91220203MA00000017"))[0] == 403
    assert (await door.ask("/v1/cases/1 OR 1=1/acknowledge", "POST"))[0] == 422


@pytest.mark.postgres
async def test_on_duty_names_who_is_there_who_comes_next_and_the_gaps(door: Door) -> None:
    await on_duty(door, [("anna", COUNTY), ("bert", COUNTY)], NOWHERE, rostered="no")
    rosters = [
        f"duty,{COUNTY},anna,2026-01-01T08:00:00+08:00,2026-01-01T20:00:00+08:00,primary",
        f"duty,{COUNTY},bert,2026-01-02T08:00:00+08:00,2026-01-20T08:00:00+08:00,primary",
    ]
    assert (await door.upload("rosters", "roster,region,contact,start,end,position", rosters))[0] == 200

    _, found = await door.ask(f"/v1/on-duty?region={COUNTY}&at={quote('2026-01-01T12:00:00+08:00')}")

    county, city, province = found["regions"]
    assert [each["contact"] for each in county["now"]] == ["anna"]
    assert [each["contact"] for each in county["next"]] == ["bert"]
    assert [(gap["start"][:16], gap["end"][:16], gap["reason"]) for gap in county["gaps"]] == [
        ("2026-01-01T12:00", "2026-01-02T00:00", "nobody_on_duty")
    ]
    assert (city["now"], [gap["reason"] for gap in city["gaps"]]) == ([], ["nobody_on_duty"])
    assert province["tier"] == "province"


@pytest.mark.postgres
async def test_on_duty_within_a_city_names_each_of_its_counties(door: Door) -> None:
    await on_duty(door, TIERS, NOWHERE)

    _, found = await door.ask(f"/v1/on-duty?region={CITY}&within=true", role="officer", region=CITY)

    by_region = {each["region"]: each for each in found["regions"]}
    assert {CITY, PROVINCE, COUNTY, "220204"} <= set(by_region)
    assert all(code == PROVINCE or code.startswith("2202") for code in by_region)
    assert ([each["contact"] for each in by_region[COUNTY]["now"]], by_region[COUNTY]["gaps"]) == (["anna"], [])
    assert by_region["220204"]["gaps"][0]["reason"] == "nobody_on_duty"


@pytest.mark.postgres
@pytest.mark.parametrize("path", ["/v1/notifications?since=", "/v1/rosters?since=", "/v1/on-duty?at="])
@pytest.mark.parametrize("moment", ["1700000000", "2026-01-01", "2026-01-01T00:00:00", "yesterday"])
async def test_a_moment_is_written_and_never_guessed(door: Door, path: str, moment: str) -> None:
    status, problem = await door.ask(path + moment)

    assert (status, problem["code"]) == (422, "invalid")
