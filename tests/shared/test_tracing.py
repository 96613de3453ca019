"""Traces: nothing while off, one span for each trace of a batch, and never a person's words in them."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import tracing
from shared.deadletters import DeadLetter
from shared.events.event import Event
from shared.otlp import Recorder, exporter
from tests.shared.records import REPORTS, record, report

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
ELSEWHERE = f"00-{'1' * 32}-{PARENT}-01"
WITHOUT = """
import importlib, sys
from shared import tracing
from shared.settings import Settings
tracing.start("x", "here:1", Settings())
for name in ("ingest", "hazards", "notify", "reporting", "console"):
    importlib.import_module(f"services.{name}.app")
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""


class Spans:
    """What was recorded, by name."""

    def __init__(self, ratio: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self._kept = InMemorySpanExporter()
        recorder = Recorder("test", "here:1", ratio, InMemorySpanExporter())
        recorder._provider.add_span_processor(SimpleSpanProcessor(self._kept))
        monkeypatch.setattr(tracing, "_recorder", recorder)
        self.stop = recorder.stop

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._kept.get_finished_spans() if span.name == name]


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A recorder that begins no trace of its own."""
    spans = Spans(0, monkeypatch)
    yield spans
    spans.stop()


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A recorder that begins a trace wherever it may."""
    spans = Spans(1, monkeypatch)
    yield spans
    spans.stop()


def told(pushed: str, traceparent: str | None = None, **more: Any) -> Event:
    return report(pushed, **more).model_copy(update={"traceparent": traceparent})


def test_while_off_the_sdk_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_while_off_nothing_is_carried_even_where_the_caller_asks_for_it() -> None:
    events = [(REPORTS, told("h-1"))]

    with tracing.begin("push", SAMPLED) as span:
        carried = tracing.carried(span, events)

    assert span.traceparent is None
    assert carried is events


def test_a_sampled_caller_is_the_parent_whatever_the_ratio(never: Spans) -> None:
    with tracing.begin("push", SAMPLED) as span:
        pass

    (pushed,) = never.named("push")
    assert f"{pushed.context.trace_id:032x}" == TRACE
    assert pushed.parent is not None
    assert f"{pushed.parent.span_id:016x}" == PARENT
    assert span.traceparent is not None
    assert span.traceparent.startswith(f"00-{TRACE}-{pushed.context.span_id:016x}-")


def test_an_unsampled_caller_is_not_traced_whatever_the_ratio(always: Spans) -> None:
    with tracing.begin("push", UNSAMPLED) as span:
        pass

    assert span.traceparent is None
    assert always.named("push") == []


@pytest.mark.parametrize("wrong", [None, "", "nonsense", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01"])
def test_without_a_valid_caller_a_trace_begins_here_or_not_at_all(always: Spans, wrong: str | None) -> None:
    with tracing.begin("push", wrong):
        pass
    with tracing.follow("attempt", "client", wrong, {}) as followed:
        pass

    (pushed,) = always.named("push")
    assert pushed.parent is None
    assert followed.traceparent is None
    assert always.named("attempt") == []


def test_a_failure_shows_by_its_kind_and_never_by_its_words(never: Spans) -> None:
    with pytest.raises(ValueError, match="Zhang"), tracing.follow("attempt", "client", SAMPLED, {}):
        raise ValueError("Zhang's telephone is 13900000000")

    (attempt,) = never.named("attempt")
    assert attempt.status.description == "ValueError"
    assert attempt.events == ()
    assert "Zhang" not in attempt.to_json()


def test_a_batch_has_one_span_in_each_of_its_traces_and_its_events_carry_it_on(never: Spans) -> None:
    given = [told("a", SAMPLED), told("b"), told("c", ELSEWHERE), told("d", SAMPLED), told("e", UNSAMPLED)]
    pairs = [(record(place), event) for place, event in enumerate(given)]

    with tracing.take("reports", pairs) as span, span.child("transaction", "client", tracing.DATABASE):
        pass

    contexts = [event.traceparent for _, event in pairs]
    ours, theirs = sorted(never.named("process reports"), key=lambda each: -each.context.trace_id.bit_count())
    if f"{ours.context.trace_id:032x}" != TRACE:
        ours, theirs = theirs, ours
    assert contexts[0] == contexts[3] != SAMPLED
    assert f"{ours.context.span_id:016x}" in str(contexts[0])
    assert f"{theirs.context.span_id:016x}" in str(contexts[2])
    assert (contexts[1], contexts[4]) == (None, UNSAMPLED)
    assert [event.id for _, event in pairs] == [event.id for event in given]
    assert ours.attributes is not None
    assert ours.attributes["messaging.batch.message_count"] == 2
    assert {each.parent and each.parent.span_id for each in never.named("transaction")} == {
        ours.context.span_id,
        theirs.context.span_id,
    }


def test_of_a_batch_with_too_many_traces_the_rest_go_on_without_its_span(never: Spans) -> None:
    many = [told(f"h-{n}", f"00-{n + 1:032x}-{PARENT}-01") for n in range(tracing.MOST_TRACES + 10)]
    pairs = [(record(place), event) for place, event in enumerate(many)]

    with tracing.take("reports", pairs):
        pass

    assert len(never.named("process reports")) == tracing.MOST_TRACES
    assert pairs[-1][1].traceparent == many[-1].traceparent


def test_a_batch_says_what_became_of_the_events_of_each_trace(never: Spans) -> None:
    done, held, dead, known = (
        told(name, f"00-{digit * 32}-{PARENT}-01") for name, digit in zip("abcd", "2345", strict=True)
    )
    pairs = [(record(place), event) for place, event in enumerate((done, held, dead, known))]

    with tracing.take("reports", pairs) as span:
        letter = DeadLetter(record(2), "refused", "what a person wrote", dead.id)
        span.judge([done, held], {held.id: "no_case_by_policy"}, [letter])

    outcomes = {f"{each.context.trace_id:032x}"[0]: each.attributes for each in never.named("process reports")}
    assert {digit: found and found["fengsui.outcome"] for digit, found in outcomes.items()} == {
        "2": ("done",),
        "3": ("held: no_case_by_policy",),
        "4": ("dead",),
        "5": ("duplicate",),
    }


def test_the_relay_finds_the_context_in_the_bodies_and_not_in_what_people_wrote(never: Spans) -> None:
    forged = told("b", title=f'"traceparent":"{ELSEWHERE}"')
    rows = [{"topic": "cases", "body": event.wire()} for event in (told("a", SAMPLED), told("c", SAMPLED), forged)]

    with tracing.relay(rows):
        pass

    (sent,) = never.named("send cases")
    assert f"{sent.context.trace_id:032x}" == TRACE
    assert sent.attributes is not None
    assert sent.attributes["messaging.batch.message_count"] == 2


def test_log_lines_carry_the_trace_while_its_span_lasts(never: Spans) -> None:
    pairs = [(record(0), told("a", SAMPLED)), (record(1), told("b", ELSEWHERE))]

    with tracing.begin("push", SAMPLED):
        inside = structlog.contextvars.get_contextvars()
    with tracing.take("reports", pairs):
        batch = structlog.contextvars.get_contextvars()

    assert inside["trace_id"] == TRACE
    assert batch["trace_id"] == sorted([TRACE, "1" * 32])
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_a_collector_that_is_away_holds_nobody_and_is_named_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    recorder = Recorder("test", "here:1", 1, exporter(endpoint, "test"))
    monkeypatch.setattr(tracing, "_recorder", recorder)

    for _ in range(5000):  # more than the queue holds
        with tracing.begin("push", None):
            pass
    began = time.monotonic()
    recorder.stop()

    assert time.monotonic() - began < 10  # its own limit is two seconds
    said = capsys.readouterr()
    assert said.out.count("spans_lost") == 1
    assert "Traceback" not in said.out + said.err
