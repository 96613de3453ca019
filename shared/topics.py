"""Every topic, once: what it carries, by which key it keeps order, who owns it, how long it stays."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Union

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from pydantic import Field, TypeAdapter

from shared.events.alarms import Alarm
from shared.events.audit import ChainHead
from shared.events.cases import CaseChanged
from shared.events.event import Event
from shared.events.hazards import HazardReport
from shared.events.notifications import NotificationChanged
from shared.events.readings import Frame, Heartbeat
from shared.events.registry import EnterpriseRegistered, PointData, PointRegistered

DAY_MS = 24 * 3600 * 1000
MAX_RECORD_BYTES = 4 * 1024 * 1024  # the broker's message.max.bytes; see PRODUCE_MAX_BYTES
PRODUCE_MAX_BYTES = MAX_RECORD_BYTES - 64 * 1024  # what we try to send, batch overhead allowed for
RETENTION_BYTES = 8 * 1024**3  # a partition; a full disk stops a broker for good


@dataclass(frozen=True, eq=False)
class Topic:
    """A named, keyed, owned stream of events."""

    name: str
    carries: tuple[type[Event], ...]
    keyed_by: str
    key: Callable[[Any], str]
    owner: str | None
    """The one service that says it; None where every service speaks for itself."""
    days: int | None
    """Retention; None for a compacted topic, which keeps the newest of each key for good."""
    partitions: int = 12
    unnamed: tuple[type[Event], ...] = ()
    """Events that need no row of the inbox, because each item in them has an identity of its own (readings)."""

    @property
    def compacted(self) -> bool:
        return self.days is None

    @cached_property
    def reader(self) -> TypeAdapter[Any]:
        """Parses a record's value; raises ValidationError."""
        if len(self.carries) == 1:
            return TypeAdapter(self.carries[0])
        union: Any = Annotated[Union[self.carries], Field(discriminator="type")]  # noqa: UP007
        return TypeAdapter(union)

    def configs(self) -> dict[str, str]:
        """What the broker is told. The broker stamps the time: a clock elsewhere must not refuse a record."""
        kept = (
            {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.2"}
            if self.days is None
            else {"retention.ms": str(self.days * DAY_MS), "retention.bytes": str(RETENTION_BYTES)}
        )
        return {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(MAX_RECORD_BYTES),
            **kept,
        }


def _entity(event: EnterpriseRegistered | PointRegistered) -> str:
    data = event.data
    return f"{data.uscc}/{data.point}" if isinstance(data, PointData) else data.uscc


def _enterprise(event: Event) -> str:
    return event.enterprise


def _case(event: CaseChanged | NotificationChanged) -> str:
    return str(event.data.case)


def _service(event: ChainHead) -> str:
    return event.data.service


REGISTRY = Topic("registry", (EnterpriseRegistered, PointRegistered), "entity", _entity, "ingest", None)
READINGS = Topic("readings", (Frame, Heartbeat), "enterprise", _enterprise, "ingest", 7, unnamed=(Frame,))
ALARMS = Topic("alarms", (Alarm,), "enterprise", _enterprise, "ingest", 7)
REPORTS = Topic("reports", (HazardReport,), "enterprise", _enterprise, "ingest", 7)
CASES = Topic("cases", (CaseChanged,), "case", _case, "hazards", 30)
NOTIFICATIONS = Topic("notifications", (NotificationChanged,), "notification's case", _case, "notify", 30)
AUDIT = Topic("audit", (ChainHead,), "service", _service, None, 3652, partitions=1)

TOPICS = {topic.name: topic for topic in (REGISTRY, READINGS, ALARMS, REPORTS, CASES, NOTIFICATIONS, AUDIT)}


async def ensure_topics(bootstrap: str) -> list[str]:
    """Creates what is missing and returns its names; what exists is left as it is."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [topic for name, topic in TOPICS.items() if name not in existing]
        if not missing:
            return []
        copies = min(3, len((await admin.describe_cluster())["brokers"]))
        safe = {"min.insync.replicas": "2"} if copies == 3 else {}  # one broker may be away, and nothing is lost
        answer = await admin.create_topics(
            [NewTopic(t.name, t.partitions, copies, topic_configs=t.configs() | safe) for t in missing]
        )
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(name)
        return [topic.name for topic in missing]
    finally:
        await admin.close()
