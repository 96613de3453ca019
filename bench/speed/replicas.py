"""(i): a lag that stands on the bus at once, drained by 1, 2 and 4 replicas of each consumer."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import Producer

from bench.speed.load import ENTERPRISES, Enterprise, alarm, point
from bench.speed.province import clock, emptied
from bench.speed.stages import alarms_through, told, watch
from bench.speed.system import System
from services.ingest.domain.admission import Pusher, admit
from shared.topics import ALARMS

CONSUMERS: Final = ("hazards", "notify", "reporting")
REBALANCED_S: Final = 5.0


async def draining(
    system: System, pushers: Sequence[Enterprise], numbers: Sequence[int], count: int
) -> list[dict[str, Any]]:
    """For each number of replicas: how fast so many alarms that lie on the bus go through each stage."""
    found, started = [], 1
    extra: list[str] = []
    for number in numbers:
        names = [system.start(service, n) for n in range(started, number) for service in CONSUMERS]
        extra, started = extra + names, max(started, number)
        await system.ready(*names)
        await emptied(system)
        await asyncio.sleep(REBALANCED_S)
        found.append({"replicas": number} | await _drain(system, pushers, f"lag{number}", count))
    system.stop(*extra)
    return found


async def _drain(system: System, pushers: Sequence[Enterprise], run: str, count: int) -> dict[str, Any]:
    records = on_the_bus(run, count, pushers)
    look = alarms_through(system)
    before, began = await look(), time.time()
    await asyncio.to_thread(_produce, system.kafka.bootstrap, records)
    lay_there = time.time() - began
    times = await watch(look, before, count, began)
    await told(system)
    return {"alarms": count, "lag_after_s": round(lay_there, 2), "rates": times.rates(count)}


def on_the_bus(run: str, count: int, pushers: Sequence[Enterprise]) -> list[tuple[bytes, bytes]]:
    """Key and value of each alarm as the door would say it."""
    now = clock()
    owners = [Pusher(each.uscc, f"测试企业{n}", each.region, "petrochemical") for n, each in enumerate(pushers)]
    known = {point(number) for number in range(count // ENTERPRISES + 1)}
    events = [admit(alarm(run, number, now), owners[number % ENTERPRISES], known, now) for number in range(count)]
    return [(ALARMS.key(event).encode(), event.wire()) for event in events]


def _produce(bootstrap: str, records: Sequence[tuple[bytes, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "queue.buffering.max.messages": len(records)})
    for key, value in records:
        producer.produce(ALARMS.name, value, key)
    producer.flush()
