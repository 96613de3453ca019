"""No route speaks to strangers, and every answer of the documented routes is what it is said to be."""

import re
from typing import Any

import pytest
from yarl import URL

from deploy.contracts import SERVICES, openapi
from services.hazards.description import Board, Cases, ShownCase
from services.ingest.doors.description import Verdict
from shared.events.event import NAMESPACE
from tests.hazards.desk import asked, opened
from tests.ingest.conftest import settle
from tests.ingest.pushing import Plant, fresh
from tests.stack import Stack, alarm, hazard, now

FOR_MACHINES = {"/healthz", "/readyz", "/metrics", "/v1/events", "/v1/readings"}


FILLED = {"case": NAMESPACE, "notification": NAMESPACE, "letter": 1, "partition": 0, "period": "2026-11"}


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_whoever_has_no_token_is_told_nothing_by_any_route(stack: Stack, service):
    paths = {path: methods for path, methods in openapi(service)["paths"].items() if path not in FOR_MACHINES}
    assert paths
    for path, methods in paths.items():
        filled = re.sub(r"{(\w+)}", lambda name: str(FILLED.get(name[1], "x")), path)
        for method in methods:
            async with stack.session.request(method, stack.url(service, filled)) as answer:
                assert answer.status == 401, (method, path)


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("ingest", "/v1/points?enterprise=%00"),
        ("ingest", "/v1/keys?enterprise=%00"),
        ("ingest", "/v1/dead-letters/99999999999999999999"),
        ("hazards", "/v1/dead-letters?cursor=99999999999999999999"),
        ("notify", "/v1/notifications?contact=%00"),
        ("notify", "/v1/notifications?since=0001-01-01T00:00:00%2B08:00"),
        ("notify", "/v1/on-duty?at=9999-12-31T23:59:59-08:00"),
        ("reporting", "/v1/statistics?measure=alarms&enterprise=%00"),
    ],
)
async def test_a_value_that_no_row_can_hold_is_the_askers_fault(stack: Stack, service, path):
    url = URL(stack.url(service, path), encoded=True)

    async with stack.session.get(url, headers=stack.headers()) as answer:
        problem = await answer.json(content_type=None)

    assert (answer.status, problem["code"]) == (422, "invalid")


@pytest.fixture(scope="module")
async def plant(stack: Stack) -> Plant:
    return await settle(stack, 7301)


@pytest.mark.kafka
@pytest.mark.postgres
async def test_the_door_answers_as_it_is_described(plant: Plant):
    events = await plant.push(hazard(fresh()), hazard(fresh(), " "), 7)
    readings = await plant.frame({"time": now(), "points": ["T-1", "X"], "values": [1, 2]})

    for answer in (events, readings):
        assert (answer.status, len(Verdict.model_validate(answer.body).rejected) > 0) == (202, True)


@pytest.mark.kafka
@pytest.mark.postgres
async def test_hazards_answers_as_it_is_described(plant: Plant):
    case = await opened(plant)
    raised = fresh()
    await plant.push(alarm(raised))
    await plant.arrive(raised)

    answers: dict[Any, str] = {
        ShownCase: f"/v1/cases/{case['id']}",
        Cases: f"/v1/cases?enterprise={plant.uscc}",
        Board: f"/v1/alarms?enterprise={plant.uscc}",
    }
    for model, path in answers.items():
        _, answer, _ = await asked(plant, path)
        shown = model.model_validate(answer)
        assert not hasattr(shown, "items") or shown.items
