"""What notify counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from services.notify.domain.call import Step
from services.notify.domain.notification import Outcome, Result
from services.notify.store.deliveries import waiting
from services.notify.store.duty import strength
from shared import telemetry
from shared.codes import tier_of
from shared.database import Connection
from shared.events.cases import CaseChanged
from shared.vocabulary import CaseKind, NotificationKind, NotificationState, Tier

CHANNELS = ("webhook",)
REPEATED = "repeated"

NOTIFICATIONS = Counter("fengsui_notifications", "Notifications that came into a state", ["state"])
ATTEMPTS = Counter("fengsui_attempts", "Calls of a channel, by how they ended", ["channel", "outcome"])
ANSWERS_NOT_KEPT = Counter(
    "fengsui_answers_not_kept",
    "Answers that fail by their own fault: the message is sent again",
    ["channel"],
)
NOBODY_ON_DUTY = Counter("fengsui_nobody_on_duty", "Calls that found nobody to tell at a tier", ["tier"])
EVENT_TO_NOTIFICATION = Histogram(
    "fengsui_event_to_notification_seconds",
    "From the door's acceptance to the first notification",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
DELIVERIES_WAITING = Gauge("fengsui_deliveries_waiting", "Messages on their way to their contacts")
UNANSWERED_CALLS = Gauge("fengsui_unanswered_calls", "Calls that nobody answered and nobody is left to ask")
OLDEST_PENDING = Gauge("fengsui_oldest_pending_seconds", "How long the oldest notification has not arrived")
ON_DUTY = Gauge("fengsui_on_duty", "People who can be told now, where a roster ever named any", ["region", "tier"])

for _state in NotificationState:
    NOTIFICATIONS.labels(_state.value)
for _channel in CHANNELS:
    ANSWERS_NOT_KEPT.labels(_channel)
    for _outcome in (*Result, REPEATED):
        ATTEMPTS.labels(_channel, str(_outcome))
for _tier in Tier:
    NOBODY_ON_DUTY.labels(_tier.value)

_ENTERS = {
    NotificationKind.CREATED: NotificationState.PENDING,
    NotificationKind.DELIVERED: NotificationState.SENT,
    NotificationKind.ACKNOWLEDGED: NotificationState.ACKNOWLEDGED,
    NotificationKind.ESCALATED: NotificationState.ESCALATED,
    NotificationKind.HELD: NotificationState.HELD,
    NotificationKind.FAILED: NotificationState.FAILED,
}


def count(steps: Iterable[Step]) -> None:
    """Counts steps; a batch that is rolled back afterwards counts again, which a rate bears."""
    for step in steps:
        if _ENTERS.get(step.kind) is step.notification.state:  # one that is escalated may still be delivered
            NOTIFICATIONS.labels(step.notification.state.value).inc()
        if step.kind is NotificationKind.HELD:
            NOBODY_ON_DUTY.labels(step.notification.tier.value).inc()


def count_attempts(channel: str, outcomes: Iterable[Outcome], repeated: int) -> None:
    """Counts calls of a channel."""
    for outcome in outcomes:
        ATTEMPTS.labels(channel, outcome.result.value).inc()
    if repeated:
        ATTEMPTS.labels(channel, REPEATED).inc(repeated)


def time_to_notification(events: Sequence[CaseChanged], now: datetime) -> None:
    """Observes how long new cases took from the door to here."""
    for event in events:
        if event.data.kind is CaseKind.OPENED:
            EVENT_TO_NOTIFICATION.observe((now - event.data.opened_at).total_seconds())


async def look(db: Connection) -> None:
    """Shows what waits, since when, and whom a call would find."""
    found = await waiting(db)
    DELIVERIES_WAITING.set(found.deliveries)
    UNANSWERED_CALLS.set(found.unanswered)
    OLDEST_PENDING.set(found.pending_s)
    telemetry.TIMER_LATE.labels("escalate").set(found.late_s)
    for region, number in (await strength(db)).items():
        ON_DUTY.labels(region, tier_of(region).value).set(number)
