"""One trace from the push to the telephone, seen by a collector that real services send it to."""

import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.notify.stand import ALWAYS, SECRET
from tests.stack import Stack, alarm, until, uscc

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

USCC, REGION = uscc(6200), "220382"
SERVICES = ("ingest", "hazards", "notify", "reporting")
PUSHER = "b7ad6b7169203331"
WORDS = "张工 13900000000"
"""What a person wrote; no span may say it."""
SAID = {
    "cloudevents.event_id",
    "db.system.name",
    "fengsui.call",
    "fengsui.case",
    "fengsui.channel",
    "fengsui.delivery",
    "fengsui.message",
    "fengsui.notification",
    "fengsui.outcome",
    "fengsui.try",
    "http.response.status_code",
    "messaging.batch.message_count",
    "messaging.destination.name",
    "messaging.destination.partition.id",
    "messaging.kafka.offset",
    "messaging.system",
}

EVERYWHERE = {
    "ingest: push events",
    "ingest: send",
    "hazards: process alarms",
    "hazards: transaction",
    "hazards: send cases",
    "notify: process cases",
    "notify: transaction",
    "notify: attempt",
    "notify: send notifications",
    "reporting: process alarms",
    "reporting: process cases",
    "reporting: transaction",
}
"""Every span of a red alarm that reaches its officer; that it did is of no concern to hazards and reporting."""


@dataclass(frozen=True)
class Seen:
    """A span as the collector got it; ids in hex."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    said: dict[str, str]


@dataclass
class Collector:
    """Takes traces by OTLP/HTTP, and webhooks at /hook."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    calls: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    """Each webhook's body, and the traceparent that it came with."""

    async def take(self, request: web.Request) -> web.Response:
        message = ExportTraceServiceRequest()
        message.ParseFromString(await request.read())
        for resource in message.resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.spans += [
                Seen(
                    about["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    {each.key: str(each.value) for each in span.attributes},
                )
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        return web.Response()

    async def hook(self, request: web.Request) -> web.Response:
        self.calls.append((orjson.loads(await request.read()), request.headers.get("traceparent")))
        return web.Response(status=204)

    def called(self, pushed: str) -> list[str | None]:
        """The traceparents of the calls about a push."""
        return [context for body, context in self.calls if body["data"]["event"]["id"] == pushed]

    def of(self, trace: str) -> list[Seen]:
        return [span for span in self.spans if span.trace == trace]

    def way(self, trace: str, last: Seen) -> list[str]:
        """From a span up to where its trace began."""
        by_id = {span.id: span for span in self.of(trace)}
        way = [f"{last.service}: {last.name}"]
        while last.parent in by_id:
            last = by_id[last.parent]
            way.append(f"{last.service}: {last.name}")
        return [*way, last.parent]


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    collector, app = Collector(), web.Application()
    app.router.add_post("/v1/traces", collector.take)
    app.router.add_post("/hook", collector.hook)
    async with TestServer(app) as server:
        collector.url = str(server.make_url("")).rstrip("/")
        yield collector


@pytest.fixture(scope="module")
async def key(stack: Stack, collector: Collector) -> str:
    """An enterprise whose officer on duty has the collector as a telephone."""
    await stack.upload(
        "notify",
        "/v1/contacts/import",
        "contact,name,region,role,webhook,webhook_secret\n"
        f"traced,Traced,{REGION},officer,{collector.url}/hook,{SECRET}\n",
    )
    await stack.upload(
        "notify",
        "/v1/rosters/import",
        f"roster,region,contact,start,end,position\ntraced,{REGION},traced,{ALWAYS},primary\n",
    )
    return await stack.register(USCC, [f"T-{number}" for number in range(6)], REGION)


@pytest.fixture(scope="module")
async def traced(stack: Stack, key: str, collector: Collector) -> AsyncIterator[Stack]:
    """The stack with every service started again to send its traces; of its own it begins none."""
    await restart(stack, SERVICES, tracing_to(collector))
    yield stack
    await restart(stack, SERVICES, {})


def tracing_to(collector: Collector) -> dict[str, str]:
    return {"FENGSUI_OTEL_ENDPOINT": collector.url, "FENGSUI_OTEL_RATIO": "0", "OTEL_BSP_SCHEDULE_DELAY": "100"}


async def restart(stack: Stack, services: Sequence[str], settings: dict[str, str]) -> None:
    for service in services:
        stack.kill(service, signal.SIGTERM)
        stack.start(service, **settings)
    await stack.ready(*services)


async def push(stack: Stack, key: str, event: dict[str, Any], traceparent: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    headers |= {"traceparent": traceparent} if traceparent else {}
    async with stack.session.post(stack.url("ingest", "/v1/events"), json=event, headers=headers) as answer:
        assert answer.status == 202, await answer.text()
        verdict: dict[str, Any] = await answer.json()
        return verdict


async def test_while_off_a_pusher_that_traces_gets_nothing_of_it_at_the_telephone(
    stack: Stack, key: str, collector: Collector
) -> None:
    await push(stack, key, alarm("off-1", "T-0"), f"00-{'a' * 32}-{PUSHER}-01")

    assert await until(lambda: calls(collector, "off-1"), bool) == [None]
    assert collector.of("a" * 32) == []


async def test_one_push_of_a_red_alarm_is_one_trace_from_the_door_to_the_delivered_webhook(
    traced: Stack, key: str, collector: Collector
) -> None:
    trace = "b" * 32
    event = alarm("traced-1", "T-1", data={"message": WORDS})

    await push(traced, key, event, f"00-{trace}-{PUSHER}-01")
    spans = await until(lambda: names(collector, trace), lambda seen: seen >= EVERYWHERE)
    (context,) = collector.called("traced-1")

    (attempt,) = [span for span in collector.of(trace) if span.name == "attempt"]
    assert spans == EVERYWHERE
    assert collector.way(trace, attempt) == [
        "notify: attempt",
        "notify: process cases",
        "hazards: process alarms",
        "ingest: push events",
        PUSHER,
    ]
    assert context is not None
    assert context.split("-")[1:3] == [trace, attempt.id]
    assert {name for span in collector.of(trace) for name in span.said} <= SAID
    assert not [span for span in collector.of(trace) if any(word in str(span) for word in (*WORDS.split(), USCC))]


async def test_of_a_push_that_is_not_sampled_nothing_is_sent(traced: Stack, key: str, collector: Collector) -> None:
    before, seen = {span.trace for span in collector.spans}, "c" * 32

    await push(traced, key, alarm("unsampled-1", "T-2"))
    await push(traced, key, alarm("unsampled-2", "T-3"), f"00-{'d' * 32}-{PUSHER}-00")
    contexts = [await until(partial(calls, collector, pushed)) for pushed in ("unsampled-1", "unsampled-2")]
    await push(traced, key, alarm("sampled-1", "T-4"), f"00-{seen}-{PUSHER}-01")
    await until(lambda: names(collector, seen), lambda said: said >= EVERYWHERE)

    assert contexts == [[None], [None]]
    assert {span.trace for span in collector.spans} == before | {seen}


async def test_the_same_push_in_another_trace_is_a_duplicate(traced: Stack, key: str, collector: Collector) -> None:
    event = alarm("again-1", "T-1")

    first = await push(traced, key, event, f"00-{'e' * 32}-{PUSHER}-01")
    await restart(traced, ["ingest"], tracing_to(collector))  # it forgets, so that the bus has it twice
    second = await push(traced, key, event | {"traceparent": "x"}, f"00-{'f' * 32}-{PUSHER}-01")
    judged = await until(lambda: outcomes(collector, "f" * 32), lambda found: len(found) == 2)

    assert (first["accepted"], second["accepted"]) == (1, 1)
    assert set(judged) == {"duplicate"}


async def test_a_service_that_dies_with_an_event_to_send_sends_it_later_in_the_same_trace(
    traced: Stack, key: str, collector: Collector
) -> None:
    trace = "9" * 32
    await restart(traced, ["hazards"], tracing_to(collector) | {"FENGSUI_FAULTS": "relay.before_send=kill#1"})

    await push(traced, key, alarm("dies-1", "T-5"), f"00-{trace}-{PUSHER}-01")
    await traced.died("hazards")
    traced.start("hazards", **tracing_to(collector))
    (context,) = await until(lambda: calls(collector, "dies-1"))

    assert context.split("-")[1] == trace


async def calls(collector: Collector, pushed: str) -> list[str | None]:
    return collector.called(pushed)


async def names(collector: Collector, trace: str) -> set[str]:
    return {f"{span.service}: {span.name}" for span in collector.of(trace)}


async def outcomes(collector: Collector, trace: str) -> list[str]:
    """What hazards and reporting said of the alarm of a trace."""
    found = [span.said.get("fengsui.outcome", "") for span in collector.of(trace) if span.name == "process alarms"]
    return ["duplicate" if "duplicate" in said else said for said in found]
