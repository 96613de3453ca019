"""What the desk looks at all day: points gravest first, counts, and the enterprises with anything open."""

from typing import Any

import pytest

from services.hazards.description import Counts, Enterprises
from services.hazards.domain.commands import ACTIONS, blocked
from shared.vocabulary import CaseState
from tests.hazards.desk import ADMIN, MANAGER, OFFICER, act, asked, opened, plant_staff, walked
from tests.hazards.signs import case
from tests.ingest.conftest import settle
from tests.ingest.pushing import Plant, fresh
from tests.stack import Stack, alarm, until

EVERY = set(ACTIONS)


def test_a_role_that_may_never_is_told_so_before_anything_else() -> None:
    found = blocked(case(), "viewer", set())

    assert found == dict.fromkeys(ACTIONS, "wrong_role")


def test_a_step_that_begins_elsewhere_is_blocked_by_the_state() -> None:
    found = blocked(case(CaseState.CLOSED), "li", EVERY)

    assert found == {action: "wrong_state" for action in ACTIONS if action != "comment"}


def test_whoever_submitted_is_told_that_another_must_accept() -> None:
    submitted = case(CaseState.RECTIFIED, submitted_by="wang")

    assert blocked(submitted, "wang", EVERY)["accept"] == "same_person"
    assert "accept" not in blocked(submitted, "li", EVERY)


@pytest.fixture(scope="module")
async def works(stack: Stack) -> Plant:
    """An enterprise of its own, with points in alarm at several levels."""
    plant = await settle(stack, 7203)
    await stack.register(plant.uscc, ["R-1", "R-2", "O-1", "Y-1", "B-1", "G-1"], "220203")
    for point, level, state in (
        ("R-1", "red", "raised"),
        ("R-1", "yellow", "raised"),
        ("B-1", "blue", "raised"),
        ("Y-1", "yellow", "raised"),
        ("O-1", "orange", "raised"),
        ("G-1", "red", "raised"),
        ("G-1", "red", "cleared"),
        ("R-2", "red", "raised"),
    ):
        answer = await plant.push(alarm(fresh(), point, level, state))
        assert answer.status == 202, answer
    await until(lambda: board(plant), lambda items: len(items) == 6 and items[-1]["state"] == "cleared")
    return plant


async def board(plant: Plant, query: str = "order=gravest", **staff: Any) -> list[dict[str, Any]]:
    status, answer, _ = await asked(plant, f"/v1/alarms?enterprise={plant.uscc}&{query}", **staff)
    assert status == 200, answer
    return list(answer["items"])


@pytest.mark.kafka
@pytest.mark.postgres
async def test_the_gravest_stands_on_top_and_what_is_over_at_the_bottom(works: Plant):
    items = await board(works)

    assert [(each["point"], each["level"]) for each in items] == [
        ("R-2", "red"),
        ("R-1", "red"),
        ("O-1", "orange"),
        ("Y-1", "yellow"),
        ("B-1", "blue"),
        ("G-1", "red"),
    ]


@pytest.mark.kafka
@pytest.mark.postgres
async def test_newest_stays_the_order_of_who_asks_for_none(works: Plant):
    assert await board(works, "") == await board(works, "order=newest")
    assert [each["point"] for each in await board(works, "")] == ["R-2", "G-1", "O-1", "Y-1", "B-1", "R-1"]


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize("order", ["newest", "gravest"])
async def test_pages_of_either_order_hold_every_point_once(works: Plant, order):
    whole, path, found = await board(works, f"order={order}"), f"order={order}&limit=2", []
    cursor: str | None = ""
    while cursor is not None:
        _, answer, _ = await asked(works, f"/v1/alarms?enterprise={works.uscc}&{path}{cursor}")
        found += answer["items"]
        cursor = answer["next"] and f"&cursor={answer['next']}"

    assert found == whole


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_cursor_of_one_order_is_none_of_the_other(works: Plant):
    _, page, _ = await asked(works, f"/v1/alarms?enterprise={works.uscc}&order=gravest&limit=1")

    status, problem, _ = await asked(works, f"/v1/alarms?enterprise={works.uscc}&limit=1&cursor={page['next']}")

    assert (status, problem["code"]) == (400, "bad_cursor")


@pytest.mark.kafka
@pytest.mark.postgres
async def test_what_nobody_answered_can_be_asked_for(works: Plant):
    assert len(await board(works, "acknowledged=false")) == 6
    assert await board(works, "acknowledged=true") == []


@pytest.mark.kafka
@pytest.mark.postgres
async def test_the_board_counts_each_point_once_at_its_gravest_level(works: Plant):
    async def counts() -> Counts:
        status, answer, _ = await asked(works, "/v1/board", **plant_staff(works))
        assert status == 200, answer
        return Counts.model_validate(answer)

    found = await until(counts, lambda found: found.cases.open >= 4)

    assert found.levels.model_dump() == {"red": 2, "orange": 1, "yellow": 1, "blue": 1}
    assert found.unanswered == 5
    assert (found.cases.open, found.cases.overdue) == (4, 0)
    assert found.cases.by_state == {"reported": 4, "confirmed": 0, "rectifying": 0, "rectified": 0}


@pytest.mark.kafka
@pytest.mark.postgres
async def test_the_enterprises_with_anything_open_are_named_with_their_worst_level(works: Plant):
    _, answer, _ = await asked(works, "/v1/board/enterprises")
    shown = Enterprises.model_validate(answer)

    (own,) = [each for each in shown.items if each.uscc == works.uscc]
    assert (own.region, own.level, own.alarms, own.cases) == ("220203", "red", 5, 4)
    assert own.name


@pytest.mark.kafka
@pytest.mark.postgres
async def test_an_enterprise_with_a_case_and_no_alarm_has_no_level(stack: Stack):
    quiet = await settle(stack, 7204)
    await opened(quiet)

    _, answer, _ = await asked(quiet, "/v1/board/enterprises", **plant_staff(quiet))

    assert [(each["uscc"], each["level"], each["alarms"], each["cases"]) for each in answer["items"]] == [
        (quiet.uscc, None, 0, 1)
    ]


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_stranger_counts_nothing(works: Plant):
    _, answer, _ = await asked(works, "/v1/board/enterprises", role="officer", region="220102")
    _, counts, _ = await asked(works, "/v1/board", role="enterprise", enterprise="91350100M000100Y43")

    assert works.uscc not in {each["uscc"] for each in answer["items"]}
    assert (sum(counts["levels"].values()), counts["unanswered"], counts["cases"]["open"]) == (0, 0, 0)


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_case_says_why_each_other_action_is_blocked(plant: Plant):
    reported = await opened(plant)
    _, seen, _ = await asked(plant, f"/v1/cases/{reported['id']}", **OFFICER)
    rectified = await walked(plant, "confirm", "start")
    _, rectified = await act(plant, rectified["id"], "submit", rectified["version"], **ADMIN)

    assert seen["blocked"] == {
        "start": "wrong_role",
        "submit": "wrong_role",
        "return": "wrong_role",
        "accept": "wrong_role",
        "void": "wrong_role",
    }
    assert rectified["blocked"]["accept"] == "same_person"
    _, managers, _ = await asked(plant, f"/v1/cases/{rectified['id']}", **MANAGER)
    assert managers["blocked"] == {"confirm": "wrong_role", "start": "wrong_state", "submit": "wrong_role"}
