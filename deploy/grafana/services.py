"""One dashboard a service: what all have, and what only it has."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.timeseries import Panel

from deploy.grafana.panels import PACE, Line, board, graph, p99


def services() -> tuple[Dashboard, ...]:
    """Those of all services."""
    return (
        _service("console", "值守", _console(), hears=False),
        _service("ingest", "接入", _ingest()),
        _service("hazards", "隐患", _hazards()),
        _service("notify", "通知", _notify()),
        _service("reporting", "统计", _reporting()),
    )


def _service(name: str, title: str, own: Sequence[Panel], *, hears: bool = True) -> Dashboard:
    rows = [("What only it does", own), ("The process", _process(name)), ("Behind it", _behind(name))]
    if hears:
        rows.insert(1, ("What it hears", _intake(name)))
    return board(f"fengsui-{name}", f"烽燧 Fengsui: {name} {title}", rows)


def _intake(name: str) -> tuple[Panel, ...]:
    of = f'{{service="{name}"}}'
    return (
        graph(
            "Taken",
            (Line(f"sum by (topic, outcome) (rate(fengsui_events_in_total{of}[{PACE}]))", "{{topic}} {{outcome}}"),),
            "Events a second by what became of them.",
            "cps",
        ),
        graph(
            "Waiting",
            (Line(f"sum by (topic) (fengsui_lag_records{of})", "{{topic}}"),),
            "Records not taken yet, over all replicas.",
        ),
        graph(
            "99 of 100 batches are faster",
            (Line(p99("fengsui_batch_seconds", "topic", of), "{{topic}}"),),
            "One batch is one transaction.",
            "s",
        ),
        graph(
            "Batches that did not commit",
            (Line(f"sum by (topic, kind) (increase(fengsui_batch_failures_total{of}[5m]))", "{{topic}} {{kind}}"),),
            "In five minutes: passing ones are tried again, broken ones wait for a person, data is halved.",
        ),
        graph(
            "Partitions",
            (Line(f"sum by (topic, state) (fengsui_partitions{of})", "{{topic}} {{state}}"),),
            "Open ones are read; a stopped one waits for a person.",
        ),
    )


def _process(name: str) -> tuple[Panel, ...]:
    of = f'{{job="fengsui", service="{name}"}}'
    return (
        graph("Ready", (Line(f"fengsui_ready{of}", "{{instance}}"),), "1 when the replica can do its job."),
        graph("Memory", (Line(f"process_resident_memory_bytes{of}", "{{instance}}"),), "Resident.", "bytes"),
        graph(
            "Processor",
            (Line(f"rate(process_cpu_seconds_total{of}[{PACE}])", "{{instance}}"),),
            "Cores that are busy.",
        ),
        graph("Open files", (Line(f"process_open_fds{of}", "{{instance}}"),), "Descriptors."),
    )


def _behind(name: str) -> tuple[Panel, ...]:
    of = f'{{service="{name}"}}'
    return (
        graph(
            "Outbox",
            (
                Line(f"max(fengsui_outbox_depth{of})", "events"),
                Line(f"max(fengsui_outbox_age_seconds{of})", "age of the oldest in s"),
            ),
            "What was decided and is not yet said.",
        ),
        graph(
            "Timers",
            (
                Line(f"sum by (timer) (rate(fengsui_timer_rows_total{of}[{PACE}]))", "{{timer}} rows/s"),
                Line(f"sum by (timer) (increase(fengsui_timer_failures_total{of}[5m]))", "{{timer}} failed in 5 min"),
            ),
            "Rows that fell due and were dealt with.",
        ),
        graph(
            "The database's answer",
            (Line(p99("fengsui_database_seconds", matching=of), "99 of 100"),),
            "The same small question every five seconds.",
            "s",
        ),
    )


def _console() -> tuple[Panel, ...]:
    return (
        graph(
            "Logins",
            (Line("sum by (outcome) (increase(fengsui_logins_total[10m]))", "{{outcome}}"),),
            "Attempts in ten minutes; not_heard are those after too many failures.",
        ),
    )


def _ingest() -> tuple[Panel, ...]:
    return (
        graph(
            "Pushed",
            (Line(f"sum by (kind, outcome) (rate(fengsui_door_items_total[{PACE}]))", "{{kind}} {{outcome}}"),),
            "Items a second by verdict.",
            "cps",
        ),
        graph(
            "Answers",
            (Line(f"sum by (path, status) (rate(fengsui_door_requests_total[{PACE}])) > 0", "{{path}} {{status}}"),),
            "Requests a second.",
            "reqps",
        ),
        graph(
            "99 of 100 answers are faster",
            (Line(p99("fengsui_door_seconds", "path"), "{{path}}"),),
            "At the door.",
            "s",
        ),
        graph(
            "The alarm engine",
            (
                Line(f"sum(rate(fengsui_engine_readings_total[{PACE}]))", "readings/s"),
                Line(f"sum(rate(fengsui_engine_alarms_total[{PACE}]))", "alarms/s"),
            ),
            "Readings judged, and alarms raised or cleared by them.",
        ),
        graph(
            "Sources",
            (Line("max(fengsui_sources_expected)", "expected"), Line("max(fengsui_sources_silent)", "silent")),
            "Those that promised to speak, and those that missed it three times.",
        ),
    )


def _hazards() -> tuple[Panel, ...]:
    return (
        graph(
            "Steps of cases",
            (Line(f"sum by (kind) (rate(fengsui_cases_total[{PACE}])) > 0", "{{kind}}"),),
            "A second.",
            "cps",
        ),
        graph(
            "99 of 100 are faster", (Line(p99("fengsui_event_to_case_seconds"), "door to case"),), "To the case.", "s"
        ),
        graph(
            "Timers late",
            (Line('max by (timer) (fengsui_timer_late_seconds{service="hazards"})', "{{timer}}"),),
            "How long the oldest due row has waited.",
            "s",
        ),
    )


def _notify() -> tuple[Panel, ...]:
    return (
        graph(
            "Notifications",
            (Line(f"sum by (state) (rate(fengsui_notifications_total[{PACE}]))", "{{state}}"),),
            "States entered a second.",
            "cps",
        ),
        graph(
            "Calls of channels",
            (Line(f"sum by (channel, outcome) (rate(fengsui_attempts_total[{PACE}]))", "{{channel}} {{outcome}}"),),
            "Attempts a second; repeated is one of which nobody knows how it ended.",
            "cps",
        ),
        graph(
            "Answers that cannot be kept",
            (Line("sum by (channel) (increase(fengsui_answers_not_kept_total[90m]))", "{{channel}}"),),
            "In ninety minutes: each is a message that is sent again and again.",
        ),
        graph(
            "On duty",
            (Line("sum by (tier) (max by (region, tier) (fengsui_on_duty))", "{{tier}}"),),
            "People who can be told now.",
        ),
        graph(
            "Found nobody",
            (Line("sum by (tier) (increase(fengsui_nobody_on_duty_total[10m]))", "{{tier}}"),),
            "Calls in ten minutes that found nobody to tell at a tier.",
        ),
        graph(
            "99 of 100 are faster",
            (Line(p99("fengsui_event_to_notification_seconds"), "door to notification"),),
            "To the first notification.",
            "s",
        ),
        graph(
            "Late",
            (
                Line("max(fengsui_oldest_pending_seconds)", "oldest pending"),
                Line('max by (timer) (fengsui_timer_late_seconds{service="notify"})', "{{timer}}"),
            ),
            "How long the oldest has waited.",
            "s",
        ),
    )


def _reporting() -> tuple[Panel, ...]:
    return (
        graph(
            "Facts",
            (Line(f"sum by (measure) (rate(fengsui_facts_total[{PACE}]))", "{{measure}}"),),
            "Counted a second.",
            "cps",
        ),
        graph(
            "Roll-ups equal their recount",
            (Line("min(fengsui_rollups_equal)", "equal"),),
            "1 when the hourly recount found what the roll-ups hold.",
        ),
    )
