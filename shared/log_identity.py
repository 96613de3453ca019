"""Which log an offset counts in: the cluster's id and the topic's own id, which a re-created topic loses.

aiokafka speaks Metadata up to version 5; a topic's id stands in version 10 and later (KIP-516).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeGuard
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from shared.errors import told

LOOK_S = 5.0


class _Uuid(AbstractType):  # type: ignore[misc]
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _Metadata10Response(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized", Int32),
        ("tags", TaggedFields),
    )


class _Metadata10(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _Metadata10Response
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("auto_create", Boolean),
        ("cluster_authorized", Boolean),
        ("topic_authorized", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_Metadata10]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics: list[tuple[UUID, str, dict[int, bytes]]] = [(UUID(int=0), name, {}) for name in topics]

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._topics, False, False, False, {})


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """A topic as it exists now."""

    cluster: str
    topic_id: UUID
    partitions: int
    epochs: tuple[int, ...] = ()
    """How often each partition got a leader: another number after the broker was away, and perhaps restored."""


def can_be_asked(consumer: AIOKafkaConsumer | None) -> TypeGuard[AIOKafkaConsumer]:
    """Whether it is connected. One that still starts, or was closed, fails otherwise than with a KafkaError."""
    return (
        consumer is not None
        and not consumer._closed
        and consumer._coordinator is not None
        and consumer._fetcher is not None
        and consumer._client.get_random_node() is not None
    )


async def identify(client: AIOKafkaClient, topic: str) -> LogIdentity:
    """Asks the broker; raises KafkaError when it does not know the topic or does not answer."""
    answer: Any = await client.send(client.get_random_node(), _MetadataRequest([topic]))
    code, name, topic_id, _, partitions, *_ = answer.topics[0]
    if code or name != topic:
        raise for_code(code) if code else UnknownTopicOrPartitionError(topic)
    epochs = tuple(epoch for _, epoch in sorted((number, epoch) for _, number, _, epoch, *_ in partitions))
    return LogIdentity(answer.cluster_id, topic_id, len(partitions), epochs)


@dataclass(frozen=True, slots=True)
class Log:
    """What a topic's partitions hold now: the offset of the first record of each, and the one behind the last."""

    identity: LogIdentity
    first: Mapping[int, int]
    end: Mapping[int, int]


async def look(consumer: AIOKafkaConsumer, topic: str) -> Log:
    """Asks the broker about every partition; raises KafkaError."""
    identity = await identify(consumer._client, topic)
    tps = [TopicPartition(topic, number) for number in range(identity.partitions)]
    first, end = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    return Log(identity, {tp.partition: at for tp, at in first.items()}, {tp.partition: at for tp, at in end.items()})


async def looked(consumer: AIOKafkaConsumer | None, topic: str) -> Log | str:
    """The same, or why it is unknown."""
    if not can_be_asked(consumer):
        return "the consumers are not connected to Kafka"
    asking = asyncio.create_task(look(consumer, topic))
    await asyncio.wait({asking}, timeout=LOOK_S)  # not cancelled: the client renews what is silent by its own time-out
    if not asking.done():
        asking.add_done_callback(lambda late: late.cancelled() or late.exception())
        return "Kafka does not answer"
    error = asking.exception()
    if error is None:
        return asking.result()
    if not isinstance(error, KafkaError | TimeoutError | OSError):
        raise error
    return told(error)
