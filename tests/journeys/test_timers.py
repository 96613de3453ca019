"""What falls due goes on beside a row that fails for good, and whoever asks learns when nothing goes on."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared import telemetry
from shared.database import Connection
from shared.due import Due, Rows
from shared.timers import Timer
from tests.journeys.trial import NAME, Trial
from tests.stack import until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

SetFaults = Callable[[str], None]
TAKE = """
SELECT id FROM dues WHERE due_at <= now()
AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'dues' AND key = id::text AND again_at > now())
ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
"""


async def take(db: Connection, limit: int) -> Rows:
    return await db.fetch(TAKE, limit)


async def deal(db: Connection, rows: Rows) -> None:
    await db.execute("UPDATE dues SET done = done + 1, due_at = NULL WHERE id = ANY($1)", [row["id"] for row in rows])


dues = Due("dues", take, lambda row: str(row["id"]), deal, 100)


async def fall_due(trial: Trial, count: int) -> None:
    """So many rows, each to be dealt with once; the seventh cannot be."""
    await trial.sql("CREATE TABLE dues (id int PRIMARY KEY, due_at timestamptz, done int NOT NULL DEFAULT 0)")
    await trial.sql("ALTER TABLE dues ADD CONSTRAINT never_the_seventh CHECK (done = 0 OR id <> 7)")
    await trial.sql(f"GRANT SELECT, UPDATE ON dues TO {NAME}_work")
    await trial.sql("INSERT INTO dues SELECT n, now() FROM generate_series(1, $1) AS n", count)


async def done(trial: Trial) -> dict[int, int]:
    return {row["id"]: row["done"] for row in await trial.sql("SELECT id, done FROM dues WHERE done <> 0")}


@pytest.mark.parametrize("count", [7, 250])
async def test_a_row_that_fails_for_good_holds_up_no_other_and_runs_once_it_is_mended(trial: Trial, count: int) -> None:
    await fall_due(trial, count)
    others = {number: 1 for number in range(1, count + 1) if number != 7}
    busy = replace(trial, timers=[Timer("dues", 0.1, dues, 100, vital=True)])

    async with busy.running() as service:
        assert await until(lambda: done(trial), lambda found: len(found) >= count - 1) == others
        (stuck,) = await until(lambda: trial.sql("SELECT * FROM stuck_rows"))
        await until(shown, lambda value: value == 1)
        await until(lambda: busy.readyz(service), lambda answer: answer[0] == 200)
        await trial.sql("ALTER TABLE dues DROP CONSTRAINT never_the_seventh")
        assert await until(lambda: done(trial), lambda found: 7 in found) == others | {7: 1}
        await until(shown, lambda value: value == 0)

    assert (stuck["timer"], stuck["key"]) == ("dues", "7")
    assert stuck["reason"] == "CheckViolationError 23514 table dues constraint never_the_seventh"
    assert await trial.sql("SELECT * FROM stuck_rows") == []


async def shown() -> float:
    """The metric that ops see."""
    return float(telemetry.TIMER_STUCK.labels("dues")._value.get())


async def test_a_row_that_goes_on_failing_waits_longer_each_time(trial: Trial) -> None:
    await fall_due(trial, 7)
    pauses = "SELECT failures, extract(epoch FROM again_at - since)::int AS after FROM stuck_rows"

    async with replace(trial, timers=[Timer("dues", 0.1, dues, 100)]).running():
        twice = await until(lambda: trial.sql(pauses), lambda rows: bool(rows) and rows[0]["failures"] >= 2)

    assert twice[0]["after"] >= 6  # two seconds, then four


async def test_what_passes_keeps_the_whole_pass_waiting_and_blames_no_row(trial: Trial, set_faults: SetFaults) -> None:
    await fall_due(trial, 6)
    set_faults("timer.before_commit=raise#1")

    async with replace(trial, timers=[Timer("dues", 0.1, dues, 100)]).running():
        await until(lambda: done(trial), lambda found: len(found) == 6)

    assert await trial.sql("SELECT * FROM stuck_rows") == []
