"""Each of the seven actions on a case leaves a row of the audit trail, and what was refused leaves none."""

from typing import Any

import orjson
import pytest

from tests.hazards.desk import FIVE, MANAGER, OFFICER, act, opened, plant_staff
from tests.ingest.pushing import Plant

pytestmark = pytest.mark.kafka


async def trail(plant: Plant, case: str) -> list[dict[str, Any]]:
    rows = await plant.stack.sql("SELECT body FROM hazards.audit ORDER BY seq")
    return [body for body in (orjson.loads(row["body"]) for row in rows) if body["subject"] == f"case/{case}"]


async def test_every_action_on_a_case_is_recorded_with_what_was_said(plant: Plant):
    case, other = await opened(plant), await opened(plant)
    steps = [
        ("confirm", {"grade": "major"}, OFFICER),
        ("start", FIVE | {"plan": "停车" * 200}, MANAGER),
        ("submit", None, plant_staff(plant)),
        ("return", None, MANAGER),
        ("submit", None, plant_staff(plant)),
        ("comment", None, MANAGER),
        ("accept", None, MANAGER),
    ]
    for action, body, staff in steps:
        status, case = await act(plant, case["id"], action, case["version"], body, **staff)
        assert status == 200, case
    await act(plant, other["id"], "void", other["version"], **MANAGER)

    rows = await trail(plant, case["id"])
    assert [row["action"] for row in rows] == [action for action, _, _ in steps]
    assert [row["actor"] for row in rows] == [staff["name"] for _, _, staff in steps]
    assert [row["detail"]["version"] for row in rows] == list(range(2, 9))
    assert {(row["region"], row["enterprise"]) for row in rows} == {("220203", plant.uscc)}
    assert rows[0]["detail"]["grade"] == "major"
    assert rows[1]["detail"]["plan"]["characters"] == 400
    assert rows[2]["detail"]["evidence"][0]["sha256"] == "0f" * 32
    assert [row["action"] for row in await trail(plant, other["id"])] == ["void"]


async def test_a_step_that_was_refused_is_no_change(plant: Plant):
    case = await opened(plant)
    refused = [
        await act(plant, case["id"], "accept", case["version"], **MANAGER),
        await act(plant, case["id"], "confirm", case["version"], role="viewer"),
        await act(plant, case["id"], "confirm", 9, **OFFICER),
        await act(plant, case["id"], "confirm", case["version"], role="officer", region="220102"),
    ]

    assert [status for status, _ in refused] == [409, 403, 412, 404]
    assert await trail(plant, case["id"]) == []
