"""A door that cannot keep what it is given says so, and what it did not accept can be sent again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from deploy.local.kafka import start_kafka
from deploy.local.ports import holder
from services.ingest.app import build
from shared.settings import Settings
from shared.topics import ensure_topics
from tests.ingest.conftest import settle
from tests.ingest.pushing import Plant, fresh
from tests.stack import Stack, alarm, free_base, hazard, opened, served, until


@pytest.fixture(scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    """An enterprise before a door whose broker nobody else needs."""
    home: Path = tmp_path_factory.mktemp("fs") / "home"
    async with served(home, ("ingest", "hazards")) as server:
        with start_kafka(home) as kafka:
            await ensure_topics(kafka)
            async with opened(Stack(home, server, kafka)) as stack:
                stack.start("ingest")
                stack.start("hazards")
                await stack.ready("ingest", "hazards")
                yield await settle(stack, 7110)


@contextmanager
def frozen(stack: Stack) -> Iterator[None]:
    """The broker hears nothing and says nothing for as long as the context lasts."""
    broker: psutil.Process | None = holder(int(stack.kafka.rpartition(":")[2]))
    assert broker is not None
    broker.suspend()
    try:
        yield
    finally:
        broker.resume()


@contextmanager
def another_door(plant: Plant, **settings: str) -> Iterator[Plant]:
    """The enterprise before a second door with settings of its own."""
    stack = replace(plant.stack, base=free_base(), processes={})
    stack.session = plant.stack.session
    stack.start("ingest", "another", **settings)
    try:
        yield Plant(stack, plant.uscc, plant.key)
    finally:
        stack.stop()


async def alive(plant: Plant) -> bool:
    async with plant.stack.session.get(plant.stack.url("ingest", "/healthz")) as answer:
        return answer.status == 200


@pytest.mark.kafka
@pytest.mark.postgres
async def test_what_a_frozen_broker_did_not_confirm_is_unknown_and_sent_again_has_one_effect(alone: Plant):
    marker, ids = fresh(), [fresh() for _ in range(6)]
    events = [alarm(ids[0]), *(hazard(pushed) for pushed in ids[1:])]

    with frozen(alone.stack):
        refused = [await alone.push(*events) for _ in range(2)]
    accepted = await until(lambda: alone.push(*events), lambda answer: answer.status == 202, timeout=40)

    assert {(answer.status, answer.code) for answer in refused} == {(503, "outcome_unknown")}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert accepted.body == {"accepted": 6, "duplicates": 0, "rejected": []}
    assert (await alone.push(hazard(marker))).status == 202
    await alone.arrive(marker, *ids)


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_door_that_stops_loses_nothing_it_accepted(alone: Plant):
    accepted: list[str] = []
    outcomes: set[Any] = set()

    async def pusher() -> None:
        while not alone.stack.processes["ingest"].poll():
            pushed = fresh()
            try:
                answer = await alone.push(hazard(pushed))
            except aiohttp.ClientError:
                return
            outcomes.add((answer.status, answer.code))
            if answer.status == 202:
                accepted.append(pushed)

    pushers = [asyncio.create_task(pusher()) for _ in range(8)]
    await until(lambda: asyncio.sleep(0, len(accepted)), lambda count: count > 50)
    await asyncio.to_thread(alone.stack.kill, "ingest", 15)
    alone.stack.start("ingest")
    await asyncio.gather(*pushers, return_exceptions=True)
    await alone.stack.ready("ingest")

    assert outcomes <= {(202, None), (503, "stopping")}
    await alone.arrive(*accepted)


@pytest.mark.kafka
@pytest.mark.postgres
async def test_whoever_pushes_more_than_the_rate_is_told_when_to_come_again(alone: Plant):
    full = b"[" + b"1," * 9_999 + b"1]"
    with another_door(alone, FENGSUI_RATE_LIMIT="50") as plant:
        await until(lambda: alive(plant))
        indebted = await until(lambda: plant.post(full), lambda answer: int(answer.headers.get("Retry-After", 0)) > 1)

    assert (indebted.status, indebted.code) == (429, "too_many")
    assert 100 < int(indebted.headers["Retry-After"]) <= 200
    assert (await alone.push(hazard(fresh()))).status == 202


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_door_that_cannot_read_the_registry_accepts_nothing(alone: Plant):
    with another_door(alone, FENGSUI_POSTGRES_ASK="postgresql://nobody@127.0.0.1:1/none") as plant:
        await until(lambda: alive(plant))

        answer = await plant.push(hazard(fresh()))

    assert (answer.status, answer.code) == (503, "registry_unreachable")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_stopping_door_accepts_nothing():
    service = build(Settings())
    service.stopping = True

    for path in ("/v1/events", "/v1/readings"):
        status, headers = await ask(service.app, path)

        assert status == 503
        assert int(headers[b"retry-after"]) >= 1


async def ask(app: Any, path: str) -> tuple[int, dict[bytes, bytes]]:
    """Posts to an application without a server between; status and headers."""
    said: list[Any] = []
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "query_string": b"", "headers": []}

    async def hear() -> dict[str, Any]:
        return {"type": "http.request", "body": b"[]", "more_body": False}

    async def say(message: Any) -> None:
        said.append(message)

    await app(scope | {"scheme": "http", "root_path": "", "server": ("door", 80)}, hear, say)
    return said[0]["status"], dict(said[0]["headers"])
