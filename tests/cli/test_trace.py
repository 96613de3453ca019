"""Of one pushed event a person is told the whole way, with times and reasons, or what it means that nobody knows it."""

import asyncio
import time
from typing import Any

import orjson
import pytest

from deploy.tokens import mint
from shared.events.event import event_id
from tests.stack import Stack, alarm, hazard, until, uscc

pytestmark = pytest.mark.kafka

OURS, OTHERS = uscc(911), uscc(912)


@pytest.fixture(scope="module")
async def keys(stack: Stack) -> dict[str, str]:
    """Of two enterprises."""
    return {code: await stack.register(code, ["T-1", "T-2", "T-3"]) for code in (OURS, OTHERS)}


@pytest.fixture
def trace(stack: Stack, fengsui):
    """Asks until the whole way is there, and not longer than a slow machine needs."""
    here = ("--url", f"http://127.0.0.1:{stack.base}", "--token", mint(stack.home, "test", "admin", "220000"))

    def run(*words: object) -> Any:
        return fengsui("trace", *words, *here)

    async def whole(*words: object) -> dict[str, Any]:
        ran = await until(lambda: asyncio.to_thread(run, *words, "--json"), lambda ran: ran.code == 0, timeout=60)
        return orjson.loads(ran.out)

    run.whole = whole
    return run


def said(way: dict[str, Any], stage: str) -> list[str]:
    return [line["what"] for line in way["way"] if line["stage"] == stage]


async def test_an_alarm_is_followed_from_the_door_to_the_figures(stack: Stack, keys: dict[str, str], trace):
    name = f"trace-{time.time_ns()}"
    event = alarm(name, "T-1")
    status, _ = await stack.push(event, key=keys[OURS])

    way = await trace.whole(event["source"], name)
    table = trace(event["source"], name)

    stages = [line["stage"] for line in way["way"]]
    assert status == 202
    assert way["event"] == str(event_id(OURS, event["source"], name))
    assert [stage for place, stage in enumerate(stages) if stage not in stages[:place]] == [
        *("bus", "hazards", "case", "notify", "call", "notification", "reporting", "fact")
    ]
    assert said(way, "bus")[0].startswith("alarms/")
    assert "accepted at the door" in said(way, "bus")[0]
    assert said(way, "case")[0].startswith("opened: case ")
    assert (
        said(way, "notification") == ["to nobody (county): held (nobody_on_duty)"] or len(said(way, "notification")) > 1
    )
    assert [what.split(":")[0] for what in said(way, "fact")] == ["counted in alarms", "counted in cases_opened"]
    assert all(line["at"] for line in way["way"])
    assert table.code == 0
    assert table.out.splitlines()[0].split() == ["stage", "at", "state", "what"]


async def test_what_is_held_says_its_reason(stack: Stack, keys: dict[str, str], trace):
    name = f"trace-{time.time_ns()}"
    await stack.push(alarm(name, "T-2", "yellow"), key=keys[OURS])

    way = await trace.whole("//test/dcs", name)

    (verdict,) = [line for line in way["way"] if line["stage"] == "hazards"]
    assert (verdict["state"], verdict["what"]) == ("held", "no_case_by_policy")
    assert "case" not in {line["stage"] for line in way["way"]}


async def test_the_way_of_a_heartbeat_ends_at_ingest(stack: Stack, keys: dict[str, str], trace):
    name = f"trace-{time.time_ns()}"
    beat = hazard(name) | {"type": "fengsui.heartbeat.v1", "data": {"interval_s": 60}}
    await stack.push(beat, key=keys[OURS])

    way = await trace.whole(beat["source"], name)

    assert [line["stage"] for line in way["way"]] == ["bus", "ingest"]


async def test_the_same_names_of_two_enterprises_are_told_apart(stack: Stack, keys: dict[str, str], trace):
    name = f"trace-{time.time_ns()}"
    for key in keys.values():
        await stack.push(hazard(name), key=key)

    ways = [await trace.whole("//test/check", name, "--enterprise", code) for code in keys]
    unnamed = trace("//test/check", name)

    assert [way["event"] for way in ways] == [str(event_id(code, "//test/check", name)) for code in keys]
    assert all(len(said(way, "case")) == 1 for way in ways)
    assert all(what.startswith("counted in cases_opened") for way in ways for what in said(way, "fact"))
    assert [len(said(way, "fact")) for way in ways] == [1, 1]
    assert unnamed.code == 1
    assert unnamed.err == f"2 enterprises used these names; say which by --enterprise: {OURS}, {OTHERS}"


async def test_an_event_that_nobody_heard_of_is_said_to_be_unknown(stack: Stack, keys: dict[str, str], trace):
    ran = trace("//test/dcs", "never pushed")

    assert ran.code == 1
    assert ran.out.startswith("unknown: no service holds it")
