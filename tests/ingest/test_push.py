"""What is accepted has its effect once, and what the registry learnt is honoured at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.ingest.pushing import Plant, fresh
from tests.stack import Stack, alarm, hazard, now, until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


async def test_a_dry_run_checks_and_sends_nothing(plant: Plant):
    pushed, marker = fresh(), fresh()
    body = [hazard(pushed), hazard(fresh(), " ")]

    answers = [await plant.stack.post("/v1/events?dry_run=true", body, MANY, plant.key) for _ in range(2)]

    for status, answer in answers:
        assert (status, answer["accepted"], answer["duplicates"]) == (202, 1, 0)
        assert [each["code"] for each in answer["rejected"]] == ["blank"]
    await plant.push(hazard(marker))
    await plant.arrive(marker)
    assert await plant.effects(pushed) == [0]


async def test_a_dry_run_is_asked_for_clearly(plant: Plant):
    status, problem = await plant.stack.post("/v1/events?dry_run=yes", [], MANY, plant.key)

    assert (status, problem["code"]) == (400, "bad_query")


MANY = "application/cloudevents-batch+json"


async def test_fifty_who_push_the_same_at_once_make_one_case(plant: Plant):
    pushed, marker = fresh(), fresh()
    event = hazard(pushed)

    answers = await asyncio.gather(*(plant.push(event) for _ in range(50)))

    assert {answer.status for answer in answers} == {202}
    assert {answer.body["accepted"] + answer.body["duplicates"] for answer in answers} == {1}
    await plant.push(hazard(marker))
    await plant.arrive(marker, pushed)


async def test_readings_past_a_limit_open_a_case_and_the_same_again_changes_nothing(plant: Plant):
    name = f"L-{fresh()}"
    await register(plant, name, "hh", "90")
    frame = {"time": now(), "points": [name], "values": [95.5]}
    again = {"readings": [{"point": name, "time": frame["time"], "value": 99}]}

    answers = [await plant.frame(each) for each in (frame, frame, again)]

    assert [(answer.status, answer.body["accepted"]) for answer in answers] == [(202, 1)] * 3
    (case,) = await until(cases_of(plant, name))
    assert (case["level"], case["occurrences"], case["point"]) == ("red", 1, name)


async def test_a_point_is_known_to_the_door_once_its_import_has_returned(plant: Plant):
    for _ in range(3):
        name = f"N-{fresh()}"
        assert (await plant.push(alarm(fresh(), name))).status == 422

        await register(plant, name)

        assert (await plant.push(alarm(fresh(), name))).status == 202


async def test_a_point_is_known_to_the_readings_door_as_soon(plant: Plant):
    name = f"N-{fresh()}"
    frame = {"time": now(), "points": [name], "values": [1]}
    assert (await plant.frame(frame)).status == 422

    await register(plant, name)

    assert (await plant.frame(frame)).status == 202


async def test_a_key_is_known_once_it_was_made_and_unknown_once_it_was_revoked(plant: Plant):
    status, made = await plant.stack.send("ingest", "/v1/keys", {"enterprise": plant.uscc, "name": "brief"})
    assert status == 201
    brief = Plant(plant.stack, plant.uscc, made["key"])
    assert (await brief.push(hazard(fresh()))).status == 202

    prefix = made["key"].split("_")[1]
    status, _ = await plant.stack.send("ingest", f"/v1/keys/{prefix}/revoke", {})

    assert status == 200
    await until(lambda: brief.push(hazard(fresh())), lambda answer: answer.status == 401, timeout=4)
    assert (await plant.push(hazard(fresh()))).status == 202
    status, problem = await plant.stack.send("ingest", f"/v1/keys/{prefix}/revoke", {})
    assert (status, problem["code"]) == (404, "not_found")


async def test_only_ops_make_keys_and_no_list_shows_a_secret(plant: Plant):
    for role in ("viewer", "officer", "manager", "enterprise"):
        own = {"enterprise": plant.uscc} if role == "enterprise" else {}
        status, _ = await plant.stack.send("ingest", "/v1/keys", {"enterprise": plant.uscc}, role=role, **own)
        assert status == 403

    listed = await plant.stack.get("ingest", f"/v1/keys?enterprise={plant.uscc}", role="ops")

    assert plant.key.split("_")[1] in {each["prefix"] for each in listed["items"]}
    assert plant.key.split("_")[2] not in str(listed)


async def register(plant: Plant, name: str, *limit: str) -> None:
    column, value = limit or ("uom", "℃")
    table = f"uscc,point,name,{column}\n{plant.uscc},{name},测点,{value}\n"
    await plant.stack.upload("ingest", "/v1/points/import", table)


def cases_of(plant: Plant, point: str) -> Callable[[], Awaitable[list[dict]]]:
    """The cases of a point."""

    async def ask() -> list[dict]:
        listed = await plant.stack.get("hazards", f"/v1/cases?enterprise={plant.uscc}&limit=500")
        return [case for case in listed["items"] if case["point"] == point]

    return ask


async def test_an_import_that_is_repeated_changes_nothing(stack: Stack, plant: Plant):
    table = f"uscc,point,name,h\n{plant.uscc},R-{fresh()},测点,80\n"

    first, again = [await stack.upload("ingest", "/v1/points/import", table) for _ in range(2)]

    assert first == {"created": 1, "updated": 0, "unchanged": 0}
    assert again == {"created": 0, "updated": 0, "unchanged": 1}
