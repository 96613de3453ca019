"""What ops see: one structured log line a batch, and the metrics that every service has."""

import logging
import sys
from contextlib import suppress
from math import nan
from typing import Any, TextIO, cast

import structlog
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

BATCH_OUTCOMES = ("done", "held", "duplicate", "dead", "ignored")
DEAD_REASONS = ("null_value", "unreadable", "id_reused", "refused")
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

EVENTS_IN = Counter("fengsui_events_in", "Events consumed, by what became of them", ["topic", "outcome"])
EVENTS_OUT = Counter("fengsui_events_out", "Events the broker acknowledged", ["topic"])
BATCH_SECONDS = Histogram("fengsui_batch_seconds", "Time to handle one batch", ["topic"], buckets=_QUICK)
BATCH_FAILURES = Counter("fengsui_batch_failures", "Batches that did not commit", ["topic", "kind"])
LAG = Gauge("fengsui_lag_records", "End of the log minus position, over this process's partitions", ["topic"])
PARTITIONS = Gauge("fengsui_partitions", "Partitions of this process", ["topic", "state"])
GAP_RECORDS = Counter("fengsui_gap_records", "Records that retention ate before they were read", ["topic"])
OUTBOX_DEPTH = Gauge("fengsui_outbox_depth", "Events that wait to be sent")
OUTBOX_AGE = Gauge("fengsui_outbox_age_seconds", "Age of the oldest event that waits to be sent")
DEAD_LETTERS = Gauge("fengsui_dead_letters", "Dead letters that wait for a person")
DEAD_TOTAL = Counter("fengsui_dead_letters_made", "Dead letters made", ["topic", "reason"])
PRODUCER_RENEWALS = Counter("fengsui_producer_renewals", "Producers made anew", ["cause"])
SEND_SECONDS = Histogram("fengsui_send_seconds", "Time until the broker acknowledged a batch", buckets=_QUICK)
TIMER_ROWS = Counter("fengsui_timer_rows", "Rows that fell due and were dealt with", ["timer"])
TIMER_FAILURES = Counter("fengsui_timer_failures", "Passes of a timer that failed", ["timer"])
TIMER_STUCK = Gauge("fengsui_timer_stuck_rows", "Due rows whose step fails by their own fault", ["timer"])
TIMER_LATE = Gauge("fengsui_timer_late_seconds", "How long the oldest due row of a timer has waited", ["timer"])
READY = Gauge("fengsui_ready", "1 when the service can do its job")
RECOVERING = Gauge("fengsui_recovering", "1 while the service reads again what came after a restored backup")
GAUGES_AT = Gauge("fengsui_gauges_timestamp_seconds", "When the gauges from the database were last read")
HOME_FREE = Gauge("fengsui_home_free_bytes", "Free bytes of the disk that holds HOME; NaN where there is no HOME")
HOME_SIZE = Gauge("fengsui_home_size_bytes", "Size of the disk that holds HOME; NaN where there is no HOME")
DATABASE_SECONDS = Histogram("fengsui_database_seconds", "Time of the same small question every 5 s", buckets=_QUICK)
DATABASE_BYTES = Gauge("fengsui_database_bytes", "Size of the database with all schemas")
DATABASE_CONNECTIONS = Gauge("fengsui_database_connections", "Connections to the server, everybody's")
DATABASE_CONNECTIONS_MOST = Gauge("fengsui_database_connections_most", "Connections that the server allows")
DATABASE_XID_AGE = Gauge("fengsui_database_xid_age", "Transactions since the oldest row was frozen; stops at 2^31")
AUDIT_UNSAID = Gauge("fengsui_audit_unsaid", "1 while the end of the audit chain is not yet said on the bus")

HOME_FREE.set(nan)
HOME_SIZE.set(nan)

for _cause in ("error", "timeout", "age"):
    PRODUCER_RENEWALS.labels(_cause)


_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)  # locals hold secrets
)


def start_topic(topic: str) -> None:
    """Every series of a topic is there from the start, so that a rate is never missing."""
    for outcome in BATCH_OUTCOMES:
        EVENTS_IN.labels(topic, outcome)
    for kind in ("passing", "data", "broken", "chain"):
        BATCH_FAILURES.labels(topic, kind)
    for reason in DEAD_REASONS:
        DEAD_TOTAL.labels(topic, reason)
    for state in ("open", "closed", "stopped"):
        PARTITIONS.labels(topic, state)
    BATCH_SECONDS.labels(topic)
    LAG.labels(topic)
    GAP_RECORDS.labels(topic)


def _bound(_logger: Any, _method: str, fields: Any) -> Any:
    """No field grows past 1 KiB: a log is no dump."""
    for key, value in fields.items():
        if isinstance(value, str) and len(value) > 1024:
            fields[key] = value[:1024] + "…"
    return fields


class _Lines:
    """A stream that never raises: on a full disk lines are lost, but not the task that had something to say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def start_logs(service: str, level: str) -> None:
    """JSON lines on standard output, control characters escaped by the format itself."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _TRACEBACKS,
            _bound,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Lines(sys.stdout))),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors reach us as exceptions


log = structlog.get_logger()
