"""Whatever the door does, every reading and every event reaches it, under the same identity each time."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.demo.feed import Door, Feed
from deploy.demo.province import Enterprise, by_slug
from deploy.demo.pushed import events
from deploy.demo.signals import rfc3339
from deploy.demo.world import begin, readings

NOW = 1_790_000_000
MINUTES = 12
SENDERS = [by_slug()[slug] for slug in ("longtan-refinery", "longtan-acrylonitrile", "dehui-corn")]


@dataclass
class FakeDoor:
    """Takes what it is sent, or says that it cannot, by the dice; sometimes it takes it and hides that."""

    dice: random.Random
    refuse_share: float = 0.4
    readings: dict[tuple[str, str, str], float] = field(default_factory=dict)
    events: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0
    largest: int = 0

    async def take_readings(self, request: web.Request) -> web.Response:
        rows = orjson.loads(await request.read())["readings"]
        return self._answer(self.readings, {(self._who(request), r["point"], r["time"]): r["value"] for r in rows})

    async def take_events(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/cloudevents-batch+json"
        batch = orjson.loads(await request.read())
        return self._answer(self.events, {(self._who(request), e["source"], e["id"]): e for e in batch})

    def _who(self, request: web.Request) -> str:
        return request.headers["Authorization"].removeprefix("Bearer key of ")

    def _answer(self, held: dict[Any, Any], items: dict[Any, Any]) -> web.Response:
        self.largest = max(self.largest, len(items))
        outcome = self.dice.random()
        if outcome < self.refuse_share / 2:
            return web.json_response({"code": "bus_away"}, status=503, headers={"Retry-After": "0"})
        new = {name: item for name, item in items.items() if name not in held}
        assert all(held[name] == item for name, item in items.items() if name in held)
        self.repeated += len(items) - len(new)
        held |= new
        if outcome < self.refuse_share:
            return web.json_response(
                {"code": "unknown_outcome"}, status=self.dice.choice([503, 429, 502]), headers={"Retry-After": "0"}
            )
        answer = {"accepted": len(new), "duplicates": len(items) - len(new), "rejected": []}
        return web.json_response(answer, status=202)


@pytest.fixture
async def door() -> AsyncIterator[tuple[FakeDoor, TestServer]]:
    fake = FakeDoor(random.Random(7))
    app = web.Application()
    app.add_routes([web.post("/v1/readings", fake.take_readings), web.post("/v1/events", fake.take_events)])
    async with TestServer(app) as server:
        yield fake, server


def feed_of(session: aiohttp.ClientSession, server: TestServer, now: int) -> Feed:
    keys = {enterprise.uscc: f"key of {enterprise.uscc}" for enterprise in SENDERS}
    return Feed(Door(session, str(server.make_url("")).rstrip("/")), keys, begin(NOW), clock=lambda: now)


def said_by(enterprise: Enterprise, feed: Feed, since: int, until: int) -> tuple[set[Any], set[Any]]:
    who = enterprise.uscc
    shown = {(who, r.point, rfc3339(r.at)) for r in readings(feed.world, enterprise, since, until)}
    said = {(who, e["source"], e["id"]) for e in events(enterprise, feed.world.epoch, since, until)}
    return shown, said


async def test_every_item_arrives_through_a_door_that_fails_at_random(door):
    fake, server = door
    until = NOW + 60 * MINUTES
    async with aiohttp.ClientSession() as session:
        feed = feed_of(session, server, until)
        since = dict(feed.world.until)

        await asyncio.gather(*(feed.catch_up(enterprise) for enterprise in SENDERS))

    expected = [said_by(enterprise, feed, since[enterprise.uscc], until) for enterprise in SENDERS]
    assert set(fake.readings) == set().union(*(shown for shown, _ in expected))
    assert set(fake.events) == set().union(*(said for _, said in expected))
    assert fake.repeated > 0
    assert {feed.world.until[enterprise.uscc] for enterprise in SENDERS} == {until}


async def test_after_an_outage_it_catches_up_in_bounded_pieces(door):
    fake, server = door
    async with aiohttp.ClientSession() as session:
        feed = feed_of(session, server, NOW + 3 * 3600)

        await feed.catch_up(SENDERS[0])

    assert len(fake.readings) > 11_000
    assert fake.largest < 1000


async def test_a_door_that_is_away_is_waited_for(door):
    fake, server = door
    fake.refuse_share = 0
    async with aiohttp.ClientSession() as session:
        feed = feed_of(session, server, NOW + 1)
        url = server.make_url("")
        await server.close()
        waiting = asyncio.create_task(feed.catch_up(SENDERS[0]))
        await asyncio.sleep(0.3)
        assert not waiting.done()

        app = web.Application()
        app.add_routes([web.post("/v1/readings", fake.take_readings), web.post("/v1/events", fake.take_events)])
        async with TestServer(app, port=url.port):
            await asyncio.wait_for(waiting, 20)

    assert feed.world.until[SENDERS[0].uscc] == NOW + 1
    assert fake.readings


async def test_a_refusal_for_good_is_counted_and_does_not_stop_the_feed():
    async def refuse(_: web.Request) -> web.Response:
        rejected = [{"index": 0, "code": "unknown_point", "detail": "…"}]
        return web.json_response({"code": "nothing_valid", "rejected": rejected}, status=422)

    app = web.Application()
    app.add_routes([web.post("/v1/readings", refuse), web.post("/v1/events", refuse)])
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        door = Door(session, str(server.make_url("")).rstrip("/"))

        await door.push("/v1/readings", "key", "application/json", {"readings": []})

    assert door.tally["refused"] == 1
