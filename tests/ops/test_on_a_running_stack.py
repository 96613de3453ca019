"""Whatever a dashboard or a rule asks, a running stack answers: a real Prometheus looks at one."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import count

import aiohttp
import orjson
import pytest

from deploy.grafana.boards import documents
from tests.ops.prometheus import Prometheus, watching
from tests.ops.rules import ELSEWHERE, rules, selectors
from tests.stack import Stack, alarm, free_base, hazard, now, until, uscc

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.prometheus]

OURS = uscc(6006)
CONSOLE = "ops-console"
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
async def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """A server that watches the stack and a console of ours, under traffic of every kind."""
    base = free_base()
    ports = {
        name: stack.base + place for place, name in enumerate(("ingest", "hazards", "notify", "reporting"), start=1)
    }
    stack.start("console", CONSOLE, port=base)
    traffic = asyncio.create_task(_live(stack, f"http://127.0.0.1:{base}/login"))
    try:
        async with watching(tmp_path_factory.mktemp("prometheus"), base + 1, ports | {"console": base}) as asked:
            yield asked
    finally:
        traffic.cancel()
        await asyncio.gather(traffic, return_exceptions=True)
        stack.kill(CONSOLE)


async def _live(stack: Stack, login: str) -> None:
    """Alarms, hazards, readings over their limit, signs of life, and somebody who mistypes; until cancelled."""
    key = await stack.register(OURS, ["T-1", "T-2"], hh=100)
    await stack.upload("notify", "/v1/contacts/import", "contact,name,region,role\nops-li,李,220882,officer\n")
    shift = "ops,220882,ops-li,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,primary"
    await stack.upload("notify", "/v1/rosters/import", f"roster,region,contact,start,end,position\n{shift}\n")
    for number in count():
        state = ("raised", "cleared")[number % 2]
        beat = hazard(f"ops-beat-{number}") | {"type": "fengsui.heartbeat.v1", "data": {"interval_s": 60}}
        events = [alarm(f"ops-{number}", "T-1", state=state), hazard(f"ops-hazard-{number}"), beat]
        pushed, _ = await stack.push(*events, key=key)
        read, _ = await stack.push_readings(
            {"readings": [{"point": "T-2", "time": now(), "value": 90 + number % 2 * 20}]}, key
        )
        assert (pushed, read) == (202, 202)
        try:
            async with stack.session.post(login, data={"name": "nobody", "password": "wrong"}):
                pass
        except aiohttp.ClientError:
            pass  # the console is not up yet
        await asyncio.sleep(0.5)


async def silent(asked: Prometheus, queries: Iterable[str]) -> list[str]:
    """Those that no figure answers."""
    return [query for query in queries if not await asked.values(query)]


async def answered(asked: Prometheus, queries: set[str]) -> None:
    """Waits until every query has an answer."""
    await until(lambda: silent(asked, sorted(queries)), lambda left: left == [], timeout=PATIENCE_S, every=1)


async def test_every_process_is_scraped(prometheus: Prometheus):
    await until(lambda: prometheus.values('up{job="fengsui"}'), lambda found: found == [1.0] * 5, timeout=PATIENCE_S)


async def test_every_panels_query_returns_data(prometheus: Prometheus):
    panels = [panel for content in documents().values() for panel in orjson.loads(content)["panels"]]
    queries = {
        target["expr"].replace("$__rate_interval", "1m") for panel in panels for target in panel.get("targets", ())
    }

    await answered(prometheus, queries)


async def test_every_recording_rule_has_data(prometheus: Prometheus):
    await answered(prometheus, {rule["record"] for rule in rules() if "record" in rule})


async def test_everything_that_an_alert_looks_at_is_there(prometheus: Prometheus):
    looked_at = {selector for rule in rules() for selector in selectors(rule["expr"])}

    await answered(prometheus, looked_at - ELSEWHERE)


async def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus):
    async def unwell() -> list[str]:
        groups = (await prometheus.get("rules"))["groups"]
        return [
            f"{rule['name']}: {rule['health']}" for group in groups for rule in group["rules"] if rule["health"] != "ok"
        ]

    await until(unwell, lambda left: left == [], timeout=PATIENCE_S)


async def test_the_watchdog_barks(prometheus: Prometheus):
    async def firing() -> set[str]:
        found = (await prometheus.get("alerts"))["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

    await until(firing, lambda names: "Watchdog" in names, timeout=PATIENCE_S)
