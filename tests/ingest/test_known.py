"""What the engine knows by heart is never older than the registry, and where points lie is no more than a hint."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from services.ingest import store
from services.ingest.domain.engine import BLOCK_POINTS, Block
from services.ingest.domain.registry import point_of
from services.ingest.known import Known
from shared.statements import statements
from tests.ingest.test_engine_handler import LIMITS, PUSHER, db  # noqa: F401 (a fixture)

pytestmark = pytest.mark.postgres

CODE = PUSHER.uscc
POINTS = {CODE: {"T-1", "T-2"}}


class Heard:
    """A connection, and the statements that were asked of it."""

    def __init__(self, line: asyncpg.Connection) -> None:
        self._line, self.asked = line, []

    async def fetch(self, sql: str, *given: Any) -> list[asyncpg.Record]:
        self.asked.append(next(name for name, text in statements("services.ingest").items() if text == sql))
        found: list[asyncpg.Record] = await self._line.fetch(sql, *given)
        return found


@pytest.fixture
def heard(db: asyncpg.Connection) -> Heard:  # noqa: F811
    return Heard(db)


async def change(line: asyncpg.Connection, points: Sequence[str], **limits: str) -> None:
    rows = [point_of({"uscc": CODE, "point": point, "name": point} | LIMITS | limits) for point in points]
    await line.execute("SET LOCAL ROLE ingest_ask")
    await store.save_points(line, rows, {CODE: PUSHER})
    await line.execute("SET LOCAL ROLE ingest_work")


async def test_limits_are_asked_for_once(heard: Heard):
    known = Known()
    first = dict((await known.limits_of(heard, POINTS))[CODE])
    heard.asked.clear()

    again = await known.limits_of(heard, POINTS)

    assert heard.asked == ["marks"]
    assert again[CODE] == first
    assert {point: limits.hh for point, limits in first.items()} == {"T-1": 90.0, "T-2": 90.0}


async def test_a_limit_that_is_changed_holds_for_the_next_batch(db: asyncpg.Connection):  # noqa: F811
    known = Known()
    await known.limits_of(db, POINTS)

    await change(db, ["T-1"], hh="95")

    assert (await known.limits_of(db, POINTS))[CODE]["T-1"].hh == 95.0


@pytest.mark.parametrize(
    ("by_hand", "left"),
    [
        ("UPDATE points SET hh = 95 WHERE point = 'T-1'", {"T-1": 95.0, "T-2": 90.0}),
        ("DELETE FROM points WHERE point = 'T-1'", {"T-1": None, "T-2": 90.0}),
    ],
)
async def test_a_limit_that_is_changed_by_hand_holds_too(
    db: asyncpg.Connection,  # noqa: F811
    by_hand: str,
    left: dict[str, float | None],
):
    known = Known()
    await known.limits_of(db, POINTS)

    await db.execute("SET LOCAL ROLE postgres")
    await db.execute(by_hand)
    await db.execute("SET LOCAL ROLE ingest_work")

    assert {point: limits.hh for point, limits in (await known.limits_of(db, POINTS))[CODE].items()} == left


async def test_a_change_that_was_taken_back_leaves_no_mark_that_comes_again(db: asyncpg.Connection):  # noqa: F811
    known = Known()
    await known.limits_of(db, POINTS)
    taken_back = db.transaction()
    await taken_back.start()
    await change(db, ["T-1"], hh="91")
    await known.limits_of(db, POINTS)
    await taken_back.rollback()
    await change(db, ["T-1"], hh="92")

    limits = await known.limits_of(db, POINTS)

    assert limits[CODE]["T-1"].hh == 92.0


async def test_a_point_that_is_registered_later_is_judged_from_then_on(db: asyncpg.Connection):  # noqa: F811
    known, later = Known(), {CODE: {"T-9"}}
    assert (await known.limits_of(db, later))[CODE]["T-9"].are_none

    await change(db, ["T-9"])

    assert (await known.limits_of(db, later))[CODE]["T-9"].hh == 90.0


async def test_what_is_too_much_to_know_by_heart_is_asked_for_again(heard: Heard):
    known = Known(most_points=1)
    await known.limits_of(heard, POINTS)
    heard.asked.clear()

    await known.limits_of(heard, POINTS)

    assert heard.asked == ["marks", "limits_of"]


async def blocks(db: asyncpg.Connection, **points: Sequence[str]) -> None:  # noqa: F811
    """Blocks by number, as an earlier batch would have left them."""
    for number, names in points.items():
        size = len(names)
        block = Block(int(number[1:]), list(names), [1] * size, [0.0] * size, [0] * 4 * size, [0] * 4 * size)
        row = (CODE, block.number, block.points, block.last_at, block.last_value, block.states, block.since)
        await db.execute(store.SAVE_BLOCK, *row)


async def test_a_batch_holds_the_blocks_of_its_points_and_no_others(db: asyncpg.Connection, heard: Heard):  # noqa: F811
    await blocks(db, b0=["T-1"], b1=["T-2"], b2=["T-3"])
    known = Known()
    await known.limits_of(heard, POINTS)
    await known.states_of(heard, POINTS)
    heard.asked.clear()

    states = await known.states_of(heard, {CODE: {"T-2"}})

    assert heard.asked == ["lock_blocks"]
    assert [block.number for block in states[CODE].blocks] == [1]


async def test_a_point_that_lies_elsewhere_than_it_did_is_found_all_the_same(db: asyncpg.Connection):  # noqa: F811
    await blocks(db, b0=["T-1", "T-2"])
    known = Known()
    await known.limits_of(db, POINTS)
    await known.states_of(db, POINTS)
    await blocks(db, b0=["T-1"], b1=["T-2"])  # as in a database that was restored

    states = await known.states_of(db, POINTS)

    assert {point: states[CODE].place(point)[0].number for point in POINTS[CODE]} == {"T-1": 0, "T-2": 1}


async def test_a_new_point_goes_into_the_last_block_though_others_were_hinted_at(db: asyncpg.Connection):  # noqa: F811
    full = [f"P-{number}" for number in range(BLOCK_POINTS)]
    await blocks(db, b0=full, b1=["T-1"])
    known = Known()
    await known.limits_of(db, {CODE: {"P-0"}})
    await known.states_of(db, {CODE: {"P-0"}})

    states = await known.states_of(db, {CODE: {"P-0", "T-2"}})

    assert states[CODE].place("T-2")[0].number == 1
    assert states[CODE].place("P-0")[0].number == 0


async def test_an_enterprise_that_nobody_registered_has_no_limits_and_its_readings_lie_somewhere(db):  # noqa: F811
    known, strange = Known(), {"91350100M000100Y99": {"T-1"}}

    assert await known.limits_of(db, strange) == {}
    assert (await known.states_of(db, strange))["91350100M000100Y99"].blocks == []
