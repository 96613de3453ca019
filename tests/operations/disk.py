"""What a million events need on disk: `python -m tests.operations.disk [ALARMS]` prints it for docs/operations.md."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local.kafka import start_kafka
from shared.topics import ensure_topics
from tests.operations.site import SERVICES, Site, on_site
from tests.stack import Stack, alarm, now, opened, served

SIZES = """
SELECT n.nspname || '.' || c.relname AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ANY($1::text[])
"""
BATCH = 100


async def sizes(site: Site) -> dict[str, int]:
    """Bytes by table with its indexes, and by topic."""
    rows = await site.stack.sql(SIZES, list(SERVICES))
    found = {row["name"]: int(row["bytes"]) for row in rows}
    for log in (site.home / "kafka").glob("*-*/*.log"):
        topic = "kafka." + log.parent.name.rpartition("-")[0]
        if not topic.startswith("kafka.__"):
            found[topic] = found.get(topic, 0) + log.stat().st_size
    return found


async def grown(site: Site, what: str, count: int, push: Callable[[int], Awaitable[None]]) -> None:
    """Prints what pushing so many made each table and topic grow, in bytes an event."""
    before = await sizes(site)
    for first in range(0, count, BATCH):
        await push(first)
    await site.quiet(timeout=3600)
    after = await sizes(site)
    print(f"\n{what}: bytes each, of {count}")
    for name in sorted(after):
        if (more := (after[name] - before.get(name, 0)) / count) >= 1:
            print(f"  {name:<28}{more:>10.0f}")
    for store, of in (
        ("PostgreSQL", lambda name: not name.startswith("kafka.")),
        ("Kafka", lambda name: name[5:6] == "."),
    ):
        print(f"  {store:<28}{sum(after[n] - before.get(n, 0) for n in after if of(n)) / count:>10.0f}")


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        async with served(home) as postgres:
            with start_kafka(home) as kafka:
                await ensure_topics(kafka)
                async with opened(Stack(home, postgres, kafka)) as stack, on_site(stack) as site:
                    for service in SERVICES:
                        stack.start(service, FENGSUI_RATE_LIMIT="1000000")
                    await stack.ready(*SERVICES)
                    await measure(site, count)


async def measure(site: Site, count: int) -> None:
    await site.go_to_work([f"P-{number:06}" for number in range(count)])

    def raised(kind: str) -> Callable[[int], Awaitable[None]]:
        async def push(first: int) -> None:
            await site.push(*[alarm(f"{kind}-{n}", f"P-{n:06}", data=DATA) for n in range(first, first + BATCH)])

        return push

    async def read(first: int) -> None:
        points = [f"P-{n:06}" for n in range(BATCH)]
        frame = {"time": now(), "points": points, "values": [20.0 + first % 7] * BATCH}
        status, answer = await site.stack.push_readings(frame)
        assert status == 202, answer

    await grown(site, "an alarm that opens a case and is told to one officer", count, raised("first"))
    await grown(site, "an alarm that joins a case", count, raised("again"))
    await grown(site, "a frame of 100 readings without an alarm, as 100 readings", count, read)


DATA = {"value": 131.5, "limit": 120, "message": "反应釜超温"}

if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
