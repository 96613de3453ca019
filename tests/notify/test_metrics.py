"""Every series is there from the start, and a state is counted when it is entered."""

from prometheus_client import REGISTRY

from services.notify import metrics
from services.notify.domain.course import climbed, opened, settled
from tests.notify.world import (
    DELIVERED,
    FULL,
    MINUTE,
    NOW,
    ROUTES,
    case_event,
    delivery,
    duty,
    sending,
)


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name} {labels}"
    return found


def test_every_series_is_there_from_the_start() -> None:
    for state in ("pending", "sent", "acknowledged", "escalated", "held", "failed", "withdrawn"):
        value("fengsui_notifications_total", state=state)
    for outcome in ("delivered", "retry", "failed", "repeated"):
        value("fengsui_attempts_total", channel="webhook", outcome=outcome)
    for tier in ("county", "city", "province"):
        value("fengsui_nobody_on_duty_total", tier=tier)
    for name in ("event_to_notification_seconds_count", "deliveries_waiting", "unanswered_calls"):
        value(f"fengsui_{name}")


def test_an_escalated_notification_that_arrives_late_was_never_sent() -> None:
    call, _ = opened(case_event(), NOW, FULL, ROUTES, NOW)
    call, _ = climbed(sending(call, "anna"), FULL, ROUTES, NOW + 5 * MINUTE)
    before = value("fengsui_notifications_total", state="sent"), value("fengsui_notifications_total", state="escalated")

    metrics.count(settled(call, delivery(call, "anna"), DELIVERED, NOW)[1])

    after = value("fengsui_notifications_total", state="sent"), value("fengsui_notifications_total", state="escalated")
    assert after == before


def test_a_tier_without_anyone_is_counted() -> None:
    before = value("fengsui_nobody_on_duty_total", tier="county")

    metrics.count(opened(case_event(), NOW, duty(), ROUTES, NOW)[1])

    assert value("fengsui_nobody_on_duty_total", tier="county") == before + 1
