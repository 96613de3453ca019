"""Spans as the OpenTelemetry SDK records and sends them; nothing ever waits for the collector, or fails with it."""

import logging
import random
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Self

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace import Span as Recording
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

from shared import telemetry
from shared.tracing import NOTHING, Attributes, Kind, Span

STOP_S: Final = 2.0
QUIET_S: Final = 300.0  # between two lines that say that the collector does not answer
_W3C: Final = TraceContextTextMapPropagator()


class Recorder:
    """One service's tracer. What is not sampled is found out first, for it shall cost nothing."""

    def __init__(self, service: str, instance: str, ratio: float, exporter: SpanExporter) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a collector that is away is said by our own
        about = {"service.namespace": "fengsui", "service.name": service, "service.instance.id": instance}
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource.create(about), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer, self._ratio = self._provider.get_tracer("fengsui"), ratio

    def begin(self, name: str, kind: Kind, traceparent: str | None, attributes: Attributes) -> Span:
        """A span under a context, sampled as that one is; where none is valid, by the ratio."""
        caller = _context(traceparent) if traceparent else None
        sampled = caller.trace_flags.sampled if caller else random.random() < self._ratio
        return self._span(name, kind, traceparent, attributes) if sampled else NOTHING

    def follow(self, name: str, kind: Kind, traceparent: str, attributes: Attributes) -> Span:
        """A span under a context that is sampled; otherwise nothing, and never a trace of its own."""
        caller = _context(traceparent)
        return self._span(name, kind, traceparent, attributes) if caller and caller.trace_flags.sampled else NOTHING

    def _span(self, name: str, kind: Kind, traceparent: str | None, attributes: Attributes) -> Span:
        parent = _W3C.extract({"traceparent": traceparent or ""})
        span = self._tracer.start_span(name, parent, SpanKind[kind.upper()], _plain(attributes))
        return _Recorded(self, span) if isinstance(span, Recording) else NOTHING

    def stop(self) -> None:
        """Sends what is left; who waits for the collector is a thread that ends with the process."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(STOP_S)


class _Recorded(Span):
    """One span of a trace that is recorded; the log lines meanwhile carry the trace's id."""

    def __init__(self, recorder: Recorder, span: Recording) -> None:
        self._recorder, self._span = recorder, span
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(span))
        self.traceparent = carrier["traceparent"]
        self._bound: AbstractContextManager[None] = bound_contextvars(trace_id=self.traceparent.split("-")[1])

    def __enter__(self) -> Self:
        self._bound.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:  # its type alone: PostgreSQL's messages quote what people wrote
            self._span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        self._span.end()
        self._bound.__exit__(kind, error, trace)

    def child(self, name: str, kind: Kind, attributes: Attributes) -> Span:
        assert self.traceparent is not None
        return self._recorder.follow(name, kind, self.traceparent, attributes)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(_plain(attributes))


def _context(traceparent: str) -> SpanContext | None:
    found = get_current_span(_W3C.extract({"traceparent": traceparent})).get_span_context()
    return found if found.is_valid else None


def _plain(attributes: Attributes) -> dict[str, Any]:
    """Values as OpenTelemetry takes them: ids become text."""
    return {
        name: value
        if isinstance(value, str | int | float)
        else [str(each) for each in value]
        if isinstance(value, Sequence)
        else str(value)
        for name, value in attributes.items()
    }


def exporter(endpoint: str, service: str) -> SpanExporter:
    """To a collector's OTLP/HTTP; what else it needs (headers, certificates) it reads from OTEL_EXPORTER_OTLP_…"""
    return _Exporter(endpoint.rstrip("/") + "/v1/traces", service)


class _Exporter(OTLPSpanExporter):
    """Says seldom that spans are lost, and goes on."""

    def __init__(self, url: str, service: str) -> None:
        super().__init__(url)
        self._service, self._lost, self._said_at = service, 0, -QUIET_S

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if time.monotonic() - self._said_at > QUIET_S:
                telemetry.log.warning("spans_lost", service=self._service, spans=self._lost)
                self._lost, self._said_at = 0, time.monotonic()
        return result
