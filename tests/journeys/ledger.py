"""The reckoning after a storm: what was acknowledged against what every service holds, row by row."""

from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.topics import CASES, NOTIFICATIONS, Topic
from tests.journeys.load import Load, is_raised, opens_or_joins_a_case
from tests.stack import Stack, until

SERVICES = ("ingest", "hazards", "notify", "reporting")
PUSHED = "SELECT id, held FROM {}.inbox WHERE digest IS NOT NULL"
TOLD = "SELECT id FROM hazards.outbox WHERE topic = 'cases'"
NOTIFIED = "SELECT id FROM notify.outbox WHERE topic = 'notifications'"
ANSWERED = NOTIFIED + " AND convert_from(body, 'UTF8')::jsonb #>> '{data,kind}' = 'acknowledged'"
FIRST_ANSWERED = ANSWERED + " AND convert_from(body, 'UTF8')::jsonb #>> '{data,case_first}' = 'true'"
CASE_SUMS = """
    SELECT c.id, c.version, c.occurrences, count(t.id) AS rows,
        count(*) FILTER (WHERE t.kind IN ('opened', 'repeated', 'worsened')) AS signs
    FROM hazards.cases c JOIN hazards.timeline t ON t.case_id = c.id GROUP BY c.id
"""
OPEN_TWICE = """
    SELECT cause FROM hazards.cases WHERE state NOT IN ('closed', 'void') GROUP BY cause HAVING count(*) > 1
"""
ROLLED_UP_WRONG = """
    SELECT measure FROM (SELECT measure, count(*) AS n FROM reporting.facts GROUP BY measure) AS facts
    FULL JOIN (SELECT measure, sum(count) AS n FROM reporting.rollups GROUP BY measure) AS rollups USING (measure)
    WHERE facts.n IS DISTINCT FROM rollups.n
"""


async def ids(stack: Stack, query: str) -> set[UUID]:
    return {row["id"] for row in await stack.sql(query)}


async def unfinished(stack: Stack, load: Load) -> dict[str, int]:
    """How much each stage still has to do; empty when all is done. A dead letter will never be done."""
    for service in SERVICES:
        dead = await stack.sql(f"SELECT topic, partition, log_offset, reason, detail FROM {service}.dead_letters")
        assert dead == [], (service, dead)
    pushed, told = set(load.acknowledged), await ids(stack, TOLD)
    answered, first = await ids(stack, ANSWERED), await ids(stack, FIRST_ANSWERED)
    left = {
        "hazards": pushed - await ids(stack, PUSHED.format("hazards")),
        "notify": told - await ids(stack, "SELECT id FROM notify.inbox"),
        "reporting": (pushed | told | first) - await ids(stack, "SELECT id FROM reporting.inbox"),
        "answers": answered - await ids(stack, "SELECT id FROM hazards.inbox"),
    }
    for service in SERVICES:
        left[f"{service}.outbox"] = await ids(stack, f"SELECT id FROM {service}.outbox WHERE sent_at IS NULL")
    return {stage: len(missing) for stage, missing in left.items() if missing}


async def settled(stack: Stack, load: Load, timeout: float = 90) -> None:
    """Waits until nothing is under way any more."""
    try:
        await until(lambda: unfinished(stack, load), lambda left: not left, timeout, every=0.3)
    except AssertionError as error:
        said = "\n".join(
            f"{name}: {line}" for name, lines in (await stack.reasons(*SERVICES)).items() for line in lines
        )
        raise AssertionError(f"{error}\n{said}") from None


async def balances(stack: Stack, load: Load) -> None:
    """Nothing acknowledged is missing, nothing has its effect twice, nothing was invented."""
    await settled(stack, load)
    for service in SERVICES:
        assert await stack.sql(f"SELECT topic FROM {service}.positions WHERE stopped IS NOT NULL") == []

    verdicts = {row["id"]: row["held"] for row in await stack.sql(PUSHED.format("hazards"))}
    touched = [row["cause"] for row in await stack.sql("SELECT cause FROM hazards.timeline WHERE cause IS NOT NULL")]
    assert set(verdicts) == set(load.acknowledged)
    assert len(touched) == len(set(touched))
    assert set(touched) == {name for name, held in verdicts.items() if held is None}
    assert {name for name, item in load.acknowledged.items() if opens_or_joins_a_case(item)} <= set(touched)
    assert await stack.sql(OPEN_TWICE) == []
    for case in await stack.sql(CASE_SUMS):
        assert (case["version"], case["occurrences"]) == (case["rows"], case["signs"]), case

    timeline = await ids(stack, "SELECT id FROM hazards.timeline")
    assert set(await on_the_bus(stack, CASES)) == timeline
    assert await ids(stack, "SELECT id FROM notify.inbox") == timeline
    assert set(await on_the_bus(stack, NOTIFICATIONS)) == await ids(stack, NOTIFIED)
    raised = {name for name, item in load.acknowledged.items() if is_raised(item)}
    assert await ids(stack, "SELECT id FROM reporting.facts WHERE measure = 'alarms'") == raised
    assert await stack.sql(ROLLED_UP_WRONG) == []


async def on_the_bus(stack: Stack, topic: Topic) -> list[UUID]:
    """The ids of all events of a topic, as often as they stand there."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        tps = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        ends = await consumer.end_offsets(tps)
        consumer.assign(tps)
        found: list[UUID] = []
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [topic.reader.validate_json(record.value).id for record in records]
        return found
    finally:
        await consumer.stop()
