"""One calm line says what went through the stack, read from the services' own metrics."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from deploy.local.probes import get


@dataclass(frozen=True, slots=True)
class Counter:
    service: str
    name: str
    labels: Mapping[str, str]


SHOWN = {
    "accepted": Counter("ingest", "fengsui_door_items_total", {"outcome": "accepted"}),
    "cases": Counter("hazards", "fengsui_cases_total", {"kind": "opened"}),
    "told": Counter("notify", "fengsui_notifications_total", {"state": "sent"}),
}


def count(text: str, counter: Counter) -> int:
    """The sum of a counter's series that carry these labels."""
    return round(
        sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == counter.name and counter.labels.items() <= sample.labels.items()
        )
    )


def line(ports: Mapping[str, int]) -> str | None:
    """The counts since each service's start; None while none of them can be read."""
    counts = {}
    for label, counter in SHOWN.items():
        if counter.service in ports:
            try:
                status, body = get("127.0.0.1", ports[counter.service], "/metrics", 2.0)
                if status == 200:
                    counts[label] = count(body.decode(), counter)
            except (OSError, ValueError, http.client.HTTPException):
                continue
    return ", ".join(f"{number:,} {label}" for label, number in counts.items()) or None
