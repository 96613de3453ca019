"""A batch of records before it is a transaction: cut into runs, sorted into events and dead letters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared import inbox
from shared.deadletters import DeadLetter
from shared.events.event import Event
from shared.topics import Topic


@dataclass(frozen=True)
class Run:
    """Contiguous records of one partition, from what is expected."""

    partition: int
    expected: int
    records: tuple[ConsumerRecord, ...]

    @property
    def next(self) -> int:
        return int(self.records[-1].offset) + 1


@dataclass
class Batch:
    """A batch on its way through one transaction."""

    events: list[tuple[ConsumerRecord, Event]]
    dead: list[DeadLetter]
    repeats: list[tuple[ConsumerRecord, Event]] = field(default_factory=list)
    """Of ids that stand among the events; of which content is known once the inbox was asked."""
    ignored: int = 0
    """Of no concern to this service, now and whenever they come again, or of a kind that it does not know."""
    duplicates: int = 0


def fingerprint(record: ConsumerRecord) -> bytes:
    """By which a record is known again."""
    return blake2b((record.key or b"") + b"\0" + (record.value or b""), digest_size=16).digest()


def halves(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """A batch in two, each still contiguous; at least two records are needed."""
    left, right, room = [], [], sum(len(run.records) for run in runs) // 2
    for run in runs:
        first, rest = run.records[:room], run.records[room:]
        room -= len(first)
        if first:
            left.append(Run(run.partition, run.expected, first))
        if rest:
            right.append(Run(run.partition, int(first[-1].offset) + 1 if first else run.expected, rest))
    return left, right


Concern = Callable[[Any], bool]
"""Whether an event can have an effect on a service, told from the event alone."""


def every(_event: Event) -> bool:
    """All of a topic is of concern."""
    return True


def parse(topic: Topic, records: Sequence[ConsumerRecord], concerns: Concern = every) -> Batch:
    """Sorts records into events that are of concern and dead letters; never raises."""
    batch = Batch([], [])
    known: set[UUID] = set()
    for record in records:
        if record.value is None:
            batch.dead.append(DeadLetter(record, "null_value", "the record has no value"))
            continue
        try:
            event = topic.reader.validate_json(record.value)
        except ValidationError as error:
            if all(
                fault["type"] in {"union_tag_invalid", "literal_error"} and fault["loc"][-1:] in ((), ("type",))
                for fault in error.errors(include_url=False)
            ):
                batch.ignored += 1  # a kind that a newer writer says and this reader does not know
            else:
                first = error.errors(include_url=False, include_input=False)[0]
                place = "/".join(map(str, first["loc"]))
                batch.dead.append(DeadLetter(record, "unreadable", f"{place}: {first['msg']}"))
            continue
        if not concerns(event):
            batch.ignored += 1
        elif event.id in known and not isinstance(event, topic.unnamed):
            batch.repeats.append((record, event))
        else:
            known.add(event.id)
            batch.events.append((record, event))
    return batch


def judge_repeats(batch: Batch, digests: Mapping[UUID, str | None]) -> None:
    """By the digests that the ids were taken in with, be it in this batch or long ago."""
    for record, event in batch.repeats:
        if digests[event.id] in (None, event.digest):
            batch.duplicates += 1
        else:
            batch.dead.append(reused(record, event))


def reused(record: ConsumerRecord, event: Event) -> DeadLetter:
    detail = f"{event.source} {event.pushid or event.id} came before with other content"
    return DeadLetter(record, "id_reused", detail, event.id, inbox.origin_of(event))
