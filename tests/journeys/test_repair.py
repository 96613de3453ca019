"""A partition whose log is another one goes on from where a person says: nothing is doubled, all new arrives."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.tokens import mint
from shared.service import Service
from tests.journeys.trial import Trial, numbered, topic_named, wires
from tests.stack import until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


async def partition(trial: Trial, service: Service) -> dict[str, Any]:
    """What the service says of the trial's only partition."""
    headers = {"Authorization": f"Bearer {mint(trial.postgres.home, '运维', 'ops', '220000', 1)}"}
    url = f"http://127.0.0.1:{service.settings.port}/v1/partitions"
    async with trial.session.get(url, headers=headers) as answer:
        (item,) = (await answer.json())["items"]
        return dict(item)


async def stopped(trial: Trial, service: Service) -> dict[str, Any]:
    """The same, once it is read no more: until the service sees that the log is another it may read on in it."""
    await until(lambda: trial.readyz(service), lambda answer: "fengsui offsets repair" in str(answer), timeout=90)
    found: dict[str, Any] = await until(
        lambda: partition(trial, service), lambda item: item["stopped"] and item["log"], timeout=90
    )
    return found


async def repair(trial: Trial, service: Service, where: Any, seen: int, query: str = "") -> tuple[int, dict[str, Any]]:
    path = f"/v1/partitions/{trial.topic.name}/0/repair{query}"
    return await trial.post(service, path, {"from": where, "next": seen})


async def begin_at(trial: Trial, offset: int) -> None:
    await trial.write(wires(range(offset)))
    async with trial.running():
        await trial.reached(offset)


async def gaps(trial: Trial) -> list[tuple[int, int]]:
    return [(row["first_lost"], row["count"]) for row in await trial.sql("SELECT first_lost, count FROM gaps")]


async def test_a_topic_made_again_is_read_from_its_beginning(trial: Trial) -> None:
    await begin_at(trial, 10)
    await trial.delete_topic()
    await trial.make_topic()
    await trial.write(wires(range(5, 15)))  # half of it was taken from the log before

    async with trial.running() as service:
        found = await stopped(trial, service)
        tried = await repair(trial, service, "beginning", 10, "?dry_run=true")
        before = await trial.position()
        done = await repair(trial, service, "beginning", 10)
        await trial.reached(10)
        await until(lambda: trial.readyz(service), lambda answer: answer[0] == 200)

    assert (found["fault"], found["next"], found["log"]) == ("another_log", 10, {"first": 0, "end": 10})
    assert found["choices"]["end"] == {"offset": 10, "again": 0, "skipped": 10}
    assert (tried[0], tried[1]["done"], before) == (200, False, 10)
    assert (done[0], done[1]["again"], done[1]["skipped"]) == (200, 10, 0)
    assert await trial.took(15) == numbered(range(15))
    assert await gaps(trial) == []


async def test_a_topic_made_again_under_our_hands_goes_on_without_a_restart(trial: Trial) -> None:
    await trial.write(wires(range(10)))

    async with trial.running() as service:
        await trial.reached(10)
        trial.make_topic_again(wires(range(100, 130)))
        found = await stopped(trial, service)
        status, _ = await repair(trial, service, "beginning", found["next"])
        took = await trial.took(40)

    assert status == 200
    assert sorted(took) == sorted(numbered([*range(10), *range(100, 130)]))


async def test_another_cluster_is_read_from_its_beginning(trial: Trial) -> None:
    await begin_at(trial, 10)
    await trial.sql("UPDATE positions SET cluster = 'another'")
    await trial.write(wires(range(10, 20)))

    async with trial.running() as service:
        found = await stopped(trial, service)
        await repair(trial, service, "beginning", 10)
        await trial.reached(20)

    assert found["fault"] == "another_log"
    assert await trial.took(20) == numbered(range(20))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("records", [5, 15], ids=["shorter", "longer"])
async def test_a_broker_restored_from_a_copy_while_we_run_stops_its_partition(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, records: int
) -> None:
    """The client below only sees a connection that broke; the position may lie in the midst of other records."""
    broker = Kafka(tmp_path_factory.mktemp("restored"))
    copy = broker.home / "copy"
    trial = Trial(postgres, broker.bootstrap, topic_named("test.restored"))

    async def restarted(source: Path, target: Path) -> None:
        await asyncio.to_thread(broker.stop)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        broker.start()
        await until(trial.ends, lambda ends: len(ends) == 1, timeout=120)

    broker.start()
    try:
        await trial.prepare()
        await trial.make_topic()
        await trial.write(wires(range(10)))
        async with trial.running() as service:
            (intake,), changes = service.intakes, list[bool]()
            intake.log_changed = lambda: changes.append(True)
            await trial.reached(10)
            await restarted(broker.data, copy)
            await trial.write(wires(range(10, 20)))
            await trial.reached(20, timeout=120)
            await restarted(copy, broker.data)
            await trial.write(wires(range(100, 100 + records)))
            found = await stopped(trial, service)
            await repair(trial, service, "beginning", found["next"])
            took = await trial.took(20 + records, timeout=90)
    finally:
        broker.stop()

    assert changes  # so that the door forgets what it took for known
    assert found["fault"] == ("shorter" if records == 5 else "other_record")
    assert sorted(took) == sorted(numbered([*range(20), *range(100, 100 + records)]))


@pytest.mark.parametrize(("where", "skipped"), [("beginning", 0), ("end", 10)])
async def test_a_log_that_ends_before_the_position_goes_on(trial: Trial, where: str, skipped: int) -> None:
    await begin_at(trial, 10)
    await trial.sql("UPDATE positions SET next = 15")

    async with trial.running() as service:
        found = await stopped(trial, service)
        done = await repair(trial, service, where, 15)
        await until(lambda: trial.readyz(service), lambda answer: answer[0] == 200)
        await trial.write(wires(range(10, 20)))
        await trial.reached(20)

    assert (found["fault"], found["log"]["end"]) == ("shorter", 10)
    assert done[1]["skipped"] == skipped
    assert await gaps(trial) == ([(0, skipped)] if skipped else [])
    assert await trial.took(20) == numbered(range(20))


async def test_a_record_that_is_another_one_stops_until_a_person_says_where_to_go_on(trial: Trial) -> None:
    await begin_at(trial, 10)
    await trial.sql("UPDATE positions SET last_record = 'other'")

    async with trial.running() as service:
        await trial.write(wires(range(10, 20)))
        await stopped(trial, service)
    async with trial.running() as service:  # the next life knows as well what helps
        found = await stopped(trial, service)
        await repair(trial, service, 10, 10)
        await trial.reached(20)

    assert found["fault"] == "other_record"
    assert await trial.took(20) == numbered(range(20))
    assert await gaps(trial) == [(0, 10)]  # of another log nothing counts as read


async def test_what_is_skipped_is_kept_as_a_gap_and_what_is_chosen_on_the_trail(trial: Trial) -> None:
    await begin_at(trial, 10)
    await trial.sql("UPDATE positions SET stopped = 'a person must look'")
    await trial.write(wires(range(10, 30)))

    async with trial.running() as service:
        await until(lambda: partition(trial, service), lambda item: item["stopped"] and item["log"])
        done = await repair(trial, service, 25, 10)
        await trial.reached(30)

    (row,) = await trial.sql("SELECT body::jsonb AS body FROM audit WHERE action = 'repair'")
    assert done[1] | {"topic": ""} == {
        "topic": "", "partition": 0, "done": True, "offset": 25, "again": 0, "skipped": 15,
    }  # fmt: skip
    assert await gaps(trial) == [(10, 15)]
    assert await trial.took(15) == numbered([*range(10), *range(25, 30)])
    assert (row["body"]["actor"], row["body"]["subject"]) == ("运维", f"partition/{trial.topic.name}/0")
    assert row["body"]["detail"] == {"fault": "refused", "was": 10, "next": 25, "skipped": 15}


async def test_a_position_is_not_moved_without_need_or_against_what_was_seen(trial: Trial) -> None:
    await begin_at(trial, 10)

    async with trial.running() as service:
        await until(lambda: trial.readyz(service), lambda answer: answer[0] == 200)
        healthy = await repair(trial, service, "end", 10)
        await trial.sql("UPDATE positions SET stopped = 'a person must look'")
        moved = await repair(trial, service, "end", 9)
        outside = await repair(trial, service, 11, 10)
        odd = await repair(trial, service, "yesterday", 10)
        other = await trial.post(service, "/v1/partitions/x/0/repair", {"from": "end", "next": 10})
        beyond = await trial.post(service, f"/v1/partitions/{trial.topic.name}/7/repair", {"from": "end", "next": 10})

    answers = (healthy, moved, outside, odd, other, beyond)
    assert [(status, answer["code"]) for status, answer in answers] == [
        (409, "not_stopped"),
        (409, "position_moved"),
        (422, "out_of_log"),
        (422, "invalid"),
        (404, "not_found"),
        (404, "not_found"),
    ]
    assert await trial.position() == 10


async def test_a_moment_is_a_place_in_the_log(trial: Trial) -> None:
    await begin_at(trial, 10)
    await trial.sql("UPDATE positions SET stopped = 'a person must look'")

    async with trial.running() as service:
        await until(lambda: partition(trial, service), lambda item: item["stopped"] and item["log"])
        long_ago = await repair(trial, service, "2020-01-01T00:00:00Z", 10, "?dry_run=true")
        to_come = await repair(trial, service, "2100-01-01T00:00:00Z", 10, "?dry_run=true")

    assert (long_ago[1]["offset"], long_ago[1]["again"]) == (0, 10)
    assert (to_come[1]["offset"], to_come[1]["again"]) == (10, 0)


async def test_what_the_outbox_keeps_is_said_again_under_its_ids(trial: Trial) -> None:
    put = "INSERT INTO outbox (id, topic, key, body) VALUES (gen_random_uuid(), 'cases', 'k', $1)"
    for value in wires(range(5)):
        await trial.sql(put, value)

    async with trial.running() as service:
        unsent = "SELECT count(*) FILTER (WHERE sent_at IS NULL) AS waiting, min(sent_at) AS first FROM outbox"
        rows = await until(lambda: trial.sql(unsent), lambda rows: rows[0]["waiting"] == 0)
        marked = await trial.post(
            service, "/v1/outbox/say-again", {"topic": "cases", "since": rows[0]["first"].isoformat()}
        )
        again = await until(
            lambda: trial.sql(unsent), lambda now: now[0]["waiting"] == 0 and now[0]["first"] > rows[0]["first"]
        )
        left = await trial.post(
            service,
            "/v1/outbox/say-again",
            {"topic": "cases", "since": rows[0]["first"].isoformat(), "until": marked[1]["until"]},
        )

    assert (marked[0], marked[1]["marked"], left[1]["marked"]) == (200, 5, 0)
    assert again[0]["first"] > rows[0]["first"]
