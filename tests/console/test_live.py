"""The stream wakes those who see, ends with the session, and says when the bus is lost."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.kafka import start_kafka
from services.console.domain.pacing import SETTLED_S
from services.console.stream import TOPICS, Wakes
from shared.access import Staff
from shared.live import Change, Ear
from shared.producer import Producer, Record
from shared.topics import ensure_topics
from shared.vocabulary import Role
from tests.console.desk import Desk, desk_on
from tests.stack import Stack, alarm, until, uscc

OWN = uscc(811)


@pytest.fixture(scope="module")
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    async with desk_on(stack) as made:
        made.stack.key = await stack.register(OWN, ["L-1", "L-2"], region="220203")
        yield made


@asynccontextmanager
async def listening(browser: httpx.AsyncClient) -> AsyncIterator[list[str]]:
    """The lines of a stream as they come; the last one is END once it was cut."""
    lines: list[str] = []

    async def listen() -> None:
        async with browser.stream("GET", "/stream", timeout=60) as answer:
            lines.append(f"status {answer.status_code}")
            async for line in answer.aiter_lines():
                lines.append(line)
        lines.append("END")

    task = asyncio.create_task(listen())
    try:
        await until(lambda: _now(lines), lambda given: "retry: 1000" in given)
        yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _now(lines: list[str]) -> list[str]:
    return lines


async def test_an_alarm_wakes_those_who_see_it_and_nobody_else(desk: Desk):
    near = await desk.visit("live-near", "officer", "220203")
    city = await desk.visit("live-city", "officer", "220200")
    own = await desk.visit("live-own", "enterprise", None, OWN)
    far = await desk.visit("live-far", "officer", "220104")
    other = await desk.visit("live-other", "enterprise", None, uscc(812))

    async with (
        listening(near) as a,
        listening(city) as b,
        listening(own) as c,
        listening(far) as d,
        listening(other) as e,
    ):
        await asyncio.sleep(3)
        for lines in (a, b, c, d, e):
            lines.clear()
        await desk.stack.push(alarm("live-1", "L-1"))
        for lines in (a, b, c):
            await until(lambda lines=lines: _now(lines), lambda given: "event: changed" in given)
        await asyncio.sleep(3)

    assert any("alarms" in line for line in a)
    assert any("cases" in line for line in a)
    assert [line for line in (*d, *e) if line and not line.startswith(":")] == []


async def test_a_stream_ends_when_its_session_does(desk: Desk):
    officer = await desk.visit("live-leaves", "officer", "220203")
    async with listening(officer) as lines:
        answer = await officer.post("/logout")

        assert answer.status_code == 303
        await until(lambda: _now(lines), lambda given: given[-1] == "END", timeout=3)


async def test_a_changed_role_ends_the_stream_as_well(desk: Desk):
    officer = await desk.visit("live-changed", "officer", "220203")
    async with listening(officer) as lines:
        await desk.stack.sql("UPDATE console.accounts SET region = '220104' WHERE name = 'live-changed'")

        await until(lambda: _now(lines), lambda given: given[-1] == "END", timeout=8)


async def test_who_has_no_session_hears_nothing(desk: Desk):
    officer = await desk.visit("live-stranger", "officer", "220203")
    officer.cookies.clear()

    answer = await officer.get("/stream")

    assert answer.status_code in (303, 401)


async def test_a_bus_that_was_lost_is_said_to_be_and_heard_again():
    heard: list[Change] = []
    turns: list[bool] = []
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        home = Path(folder) / "h"
        with start_kafka(home) as kafka:
            await ensure_topics(kafka)
            ear = Ear(kafka, TOPICS, heard.extend, turns.append)
            task = asyncio.create_task(ear.run())
            await until(lambda: _turns(turns), lambda given: given[-1:] == [True], timeout=30)
        await until(lambda: _turns(turns), lambda given: given[-1:] == [False], timeout=30)
        with start_kafka(home) as kafka:
            await until(lambda: _turns(turns), lambda given: given[-1:] == [True], timeout=60)
            producer = Producer(kafka, "test")
            record = Record("cases", b"k", b'{"region":"220203","enterprise":"E"}')
            assert await producer.send([record]) == [None]
            await until(lambda: _heard(heard), lambda given: Change("cases", "220203", "E") in given)
            await producer.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert turns == [True, False, True, False]


async def _turns(turns: list[bool]) -> list[bool]:
    return turns


async def _heard(heard: list[Change]) -> list[Change]:
    return heard


async def test_a_bus_that_is_back_wakes_every_page():
    wakes = Wakes("nowhere:1")
    with wakes.page(Staff("a", Role.OFFICER, "220203")) as page:
        begun = page.pace.take(time.monotonic() + SETTLED_S)
        wakes.turn(False)
        lost = page.pace.due()
        wakes.turn(True)

        assert lost is None
        assert set(begun) == set(page.pace.heard) == {topic.name for topic in TOPICS}
    assert wakes.open == 0
