"""One trace from the push to the telephone, of the few pushes that are sampled; while off, nothing of it is loaded."""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from uuid import UUID

from structlog.contextvars import bound_contextvars

from shared.events.event import Event
from shared.settings import Settings

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from shared.deadletters import DeadLetter
    from shared.otlp import Recorder
    from shared.topics import Topic

Kind = Literal["server", "producer", "consumer", "client"]
Attributes = Mapping[str, Any]
"""Ids and outcomes, and never what a person wrote or is called."""

KAFKA: Final[Attributes] = {"messaging.system": "kafka"}
DATABASE: Final[Attributes] = {"db.system.name": "postgresql"}
MOST_TRACES: Final = 50
"""Of one batch: of more, whoever pushed asked for it, and theirs go on without this span."""
MOST_NAMED: Final = 20
"""Events of one push that its spans name."""
_IN_BODY: Final = re.compile(rb'"traceparent":"([0-9a-f-]{55})"')  # no text can hold it, for its quotes are escaped

_recorder: "Recorder | None" = None


class Span:
    """Something that takes time in a trace; this one is of no trace that is recorded, and does nothing."""

    traceparent: str | None = None
    """The context for what follows from it, as W3C writes it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def child(self, _name: str, _kind: Kind, _attributes: Attributes) -> "Span":
        """A part of it."""
        return self

    def note(self, attributes: Attributes) -> None:
        """What became known meanwhile."""

    def judge(self, new: Sequence[Event], held: Mapping[UUID, str], dead: Sequence["DeadLetter"]) -> None:
        """What became of a batch's events."""


NOTHING: Final = Span()


def start(service: str, instance: str, settings: Settings) -> None:
    """Records from now on, if an endpoint is set."""
    global _recorder  # noqa: PLW0603 - a process is one service
    if settings.otel_endpoint:
        from shared.otlp import Recorder, exporter  # noqa: PLC0415 - the SDK is loaded only where it is used

        _recorder = Recorder(service, instance, settings.otel_ratio, exporter(settings.otel_endpoint, service))


def stop() -> None:
    """Sends what is left, within two seconds."""
    global _recorder  # noqa: PLW0603
    if _recorder is not None:
        _recorder.stop()
        _recorder = None


def begin(name: str, traceparent: str | None) -> Span:
    """Where a trace may begin: in the caller's, sampled as that one is, or in one of its own, by the ratio."""
    return NOTHING if _recorder is None else _recorder.begin(name, "server", traceparent, {})


def carried(span: Span, events: "Sequence[tuple[Topic, Event]]") -> "Sequence[tuple[Topic, Event]]":
    """The events with the context of the span that sends them; where nothing is recorded they are as they were."""
    if span.traceparent is None:
        return events
    span.note({"cloudevents.event_id": [event.id for _, event in events[:MOST_NAMED]]})
    return [(topic, event.model_copy(update={"traceparent": span.traceparent})) for topic, event in events]


def follow(name: str, kind: Kind, traceparent: str | None, attributes: Attributes) -> Span:
    """A span in a trace that is recorded; without one, nothing."""
    if _recorder is None or traceparent is None:
        return NOTHING
    return _recorder.follow(name, kind, traceparent, attributes)


def take(topic: str, pairs: "list[tuple[ConsumerRecord, Event]]") -> Span:
    """The span of a batch in each of its traces; its events then carry it on to whatever follows from them."""
    if _recorder is None:
        return NOTHING
    places: dict[str, list[int]] = {}
    for place, (_, event) in enumerate(pairs):
        if event.traceparent is not None:
            places.setdefault(event.traceparent, []).append(place)
    groups: list[tuple[Span, list[Event]]] = []
    for traceparent, found in islice(places.items(), MOST_TRACES):
        span = _recorder.follow(f"process {topic}", "consumer", traceparent, _names(topic, [pairs[i] for i in found]))
        if span is NOTHING:
            continue
        groups.append((span, [pairs[place][1] for place in found]))
        for place in found:
            record, event = pairs[place]
            pairs[place] = record, event.model_copy(update={"traceparent": span.traceparent})
    return _Taken(groups) if groups else NOTHING


def relay(records: Sequence[Any]) -> Span:
    """The sending of outbox rows (topic, body), in each of their traces."""
    if _recorder is None:
        return NOTHING
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        if found := _IN_BODY.search(record["body"]):
            key = record["topic"], found[1].decode()
            counts[key] = counts.get(key, 0) + 1
    spans = []
    for (topic, traceparent), count in islice(counts.items(), MOST_TRACES):
        attributes = {**KAFKA, "messaging.batch.message_count": count}
        spans.append(_recorder.follow(f"send {topic}", "producer", traceparent, attributes))
    return _Several(spans)


class _Several(Span):
    """One doing in several traces."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans, self._open = spans, ExitStack()

    def __enter__(self) -> Self:
        for span in self._spans:
            self._open.enter_context(span)
        traces = {span.traceparent.split("-")[1] for span in self._spans if span.traceparent}
        if len(traces) > 1:
            self._open.enter_context(bound_contextvars(trace_id=sorted(traces)[:MOST_NAMED]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def child(self, name: str, kind: Kind, attributes: Attributes) -> Span:
        return _Several([span.child(name, kind, attributes) for span in self._spans])


class _Taken(_Several):
    """A batch in its traces, with the events of each."""

    def __init__(self, groups: Sequence[tuple[Span, Sequence[Event]]]) -> None:
        super().__init__([span for span, _ in groups])
        self._groups = groups

    def judge(self, new: Sequence[Event], held: Mapping[UUID, str], dead: Sequence["DeadLetter"]) -> None:
        taken, buried = {event.id for event in new}, {letter.event_id for letter in dead}

        def outcome(event: Event) -> str:
            if event.id in buried:
                return "dead"
            if event.id not in taken:
                return "duplicate"
            return f"held: {held[event.id]}" if event.id in held else "done"

        for span, events in self._groups:
            span.note({"fengsui.outcome": sorted({outcome(event) for event in events})})


def _names(topic: str, pairs: "Sequence[tuple[ConsumerRecord, Event]]") -> Attributes:
    (record, _), events = pairs[0], [event for _, event in pairs]
    cases = {getattr(getattr(event, "data", None), "case", None) for event in events} - {None}
    return {
        **KAFKA,
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": record.partition,
        "messaging.kafka.offset": record.offset,
        "messaging.batch.message_count": len(events),
        "cloudevents.event_id": [event.id for event in events[:MOST_NAMED]],
        **({"fengsui.case": sorted(map(str, cases))[:MOST_NAMED]} if cases else {}),
    }
