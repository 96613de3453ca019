"""The engine behind the bus: what its handler leaves in the outbox does not depend on how the stream was cut."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from deploy.local.walls import in_our_database
from services.ingest import handlers, store
from services.ingest.domain.admission import Pusher
from services.ingest.domain.engine import BLOCK_POINTS, Crossing
from services.ingest.domain.frames import Admitted, frame_of
from services.ingest.domain.recent import Recent
from services.ingest.domain.registry import point_of
from services.ingest.handlers import alarm_of, raise_and_clear_alarms
from services.ingest.known import Known
from shared.database import connect
from shared.events.alarms import Alarm
from shared.events.event import event_id, microseconds
from shared.events.readings import Frame, Heartbeat, HeartbeatData
from shared.sight import EVERY, PROVINCE, SEE
from shared.topics import ALARMS
from shared.vocabulary import AlarmState, Level

pytestmark = pytest.mark.postgres

PUSHER = Pusher("91350100M000100Y43", "测试企业", "220203", "petrochemical")
START = datetime(2026, 11, 25, 8, tzinfo=UTC)
LIMITS = {"l": "10", "h": "80", "hh": "90", "deadband": "2"}
READINGS = [("T-1", 70), ("T-1", 85), ("T-2", 5), ("T-1", 95), ("T-1", 89), ("T-2", 15), ("T-1", 60), ("T-1", 99)]
WANTED = [
    "T-1/H/2026-11-25T08:00:01Z/raised yellow 测点 T-1 高报",
    "T-2/L/2026-11-25T08:00:02Z/raised yellow 测点 T-2 低报",
    "T-1/HH/2026-11-25T08:00:03Z/raised red 测点 T-1 高高报",
    "T-2/L/2026-11-25T08:00:05Z/cleared yellow 测点 T-2 低报恢复",
    "T-1/HH/2026-11-25T08:00:06Z/cleared red 测点 T-1 高高报恢复",
    "T-1/H/2026-11-25T08:00:06Z/cleared yellow 测点 T-1 高报恢复",
    "T-1/H/2026-11-25T08:00:07Z/raised yellow 测点 T-1 高报",
    "T-1/HH/2026-11-25T08:00:07Z/raised red 测点 T-1 高高报",
]


@pytest.fixture
async def db(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection as ingest's consumer has it, with an enterprise registered, in a transaction that is rolled back."""
    line = await connect(in_our_database(postgres.admin_dsn), "test", search_path="ingest")
    transaction = line.transaction()
    await transaction.start()
    await line.execute("SET LOCAL ROLE ingest_ask")
    await line.fetch(SEE, PROVINCE, EVERY)
    row = {"uscc": PUSHER.uscc, "name": PUSHER.name, "region": PUSHER.region, "industry": PUSHER.industry}
    await store.save_enterprises(line, [row | dict.fromkeys(("address", "longitude", "latitude"))])
    await register(line, ["T-1", "T-2"])
    await line.execute("SET LOCAL ROLE ingest_work")
    yield line
    await transaction.rollback()
    await line.close()


async def register(db: asyncpg.Connection, points: Sequence[str]) -> None:
    rows = [point_of({"uscc": PUSHER.uscc, "point": point, "name": f"测点 {point}"} | LIMITS) for point in points]
    await store.save_points(db, rows, {PUSHER.uscc: PUSHER})


def frame(readings: Sequence[tuple[str, float]], second: int) -> Frame:
    """The readings, one a second."""
    admitted = Admitted()
    for place, (point, value) in enumerate(readings):
        at = microseconds(START + timedelta(seconds=second + place))
        admitted.readings[point, at] = float(value), True
    return frame_of(admitted, PUSHER, START)


def cut(*sizes: int) -> list[Frame]:
    """The stream in frames of these sizes, the last one with the rest."""
    frames, begun = [], 0
    for size in (*sizes, len(READINGS)):
        frames.append(frame(READINGS[begun : begun + size], begun))
        begun += size
    return [each for each in frames if each.data.points]


async def alarms(db: asyncpg.Connection) -> list[str]:
    """What the outbox says of the enterprise, in order."""
    rows = await db.fetch("SELECT body FROM outbox WHERE topic = 'alarms' AND key = $1 ORDER BY seq", PUSHER.uscc)
    events = [ALARMS.reader.validate_json(row["body"]) for row in rows]
    return [f"{event.pushid} {event.data.level} {event.data.message}" for event in events]


@pytest.mark.parametrize("sizes", [(), (1,) * 7, (3, 3), (4,), (1, 6)])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "a batch each"])
async def test_a_stream_cut_in_any_way_gives_the_same_alarms(db, sizes, together):
    frames = cut(*sizes)

    for batch in [frames] if together else [[each] for each in frames]:
        await raise_and_clear_alarms.handle(db, batch)

    assert await alarms(db) == WANTED


async def test_frames_that_come_again_say_nothing_new(db):
    await raise_and_clear_alarms.handle(db, cut(3, 3))

    await raise_and_clear_alarms.handle(db, cut(4))
    await raise_and_clear_alarms.handle(db, list(reversed(cut(2, 2, 2))))

    assert await alarms(db) == WANTED


async def test_an_alarm_of_the_engine_carries_what_decided_it(db):
    await raise_and_clear_alarms.handle(db, cut())

    expected = event_id(PUSHER.uscc, "//fengsui/engine", "T-1/HH/2026-11-25T08:00:03Z/raised")
    alarm = ALARMS.reader.validate_json(await db.fetchval("SELECT body FROM outbox WHERE id = $1", expected))
    assert alarm.id == expected
    assert (alarm.time, alarm.data.value, alarm.data.limit) == (START + timedelta(seconds=3), 95, 90)
    assert (alarm.enterprise_name, alarm.region, alarm.industry) == ("测试企业", "220203", "petrochemical")


async def raised(db: asyncpg.Connection, pushed: str) -> Alarm:
    name = event_id(PUSHER.uscc, "//fengsui/engine", pushed)
    alarm: Alarm = ALARMS.reader.validate_json(await db.fetchval("SELECT body FROM outbox WHERE id = $1", name))
    return alarm


async def test_an_alarm_of_the_engine_shows_what_its_point_read_until_then(db, monkeypatch):
    monkeypatch.setattr(handlers, "RECENT", Recent())

    for each in cut(2, 2, 1):
        await raise_and_clear_alarms.handle(db, [each])

    first = await raised(db, "T-1/HH/2026-11-25T08:00:03Z/raised")
    second = await raised(db, "T-1/HH/2026-11-25T08:00:07Z/raised")
    cleared = await raised(db, "T-1/HH/2026-11-25T08:00:06Z/cleared")
    assert [(each.time - START, each.value) for each in first.data.readings] == [
        (timedelta(seconds=second), value) for second, value in ((0, 70), (1, 85), (3, 95))
    ]
    assert [each.value for each in second.data.readings] == [70, 85, 95, 89, 60, 99]
    assert cleared.data.readings is None


def test_what_is_shown_is_no_part_of_the_fact():
    crossing = Crossing("T-1", "HH", 90.0, Level.RED, AlarmState.RAISED, microseconds(START), 95.0)
    whole = frame(READINGS, 0)

    shown = alarm_of(crossing, PUSHER, "测点 T-1", whole, [(microseconds(START), 95.0)])
    bare = alarm_of(crossing, PUSHER, "测点 T-1", whole)

    assert (shown.id, shown.digest) == (bare.id, bare.digest)
    assert (shown.data.readings is None, bare.data.readings) == (False, None)


async def test_what_the_engine_remembers_comes_back_equal(db):
    await raise_and_clear_alarms.handle(db, cut())
    points = {PUSHER.uscc: {"T-1", "T-2"}}
    before = await Known().states_of(db, points)
    for block in before[PUSHER.uscc].blocks:
        block.touched = True

    await store.save_states(db, before)
    after = await Known().states_of(db, points)

    for block in before[PUSHER.uscc].blocks:
        block.touched = False
    assert after[PUSHER.uscc].blocks == before[PUSHER.uscc].blocks


async def test_more_points_than_a_block_holds_lie_in_several(db):
    names = [f"P-{number:03}" for number in range(BLOCK_POINTS + 10)]
    high = [(name, 85.0) for name in names]

    await raise_and_clear_alarms.handle(db, [frame(high[:200], 0)])
    await raise_and_clear_alarms.handle(db, [frame(high[200:], 0)])

    sizes = await db.fetch("SELECT cardinality(points) AS size FROM engine_blocks WHERE uscc = $1", PUSHER.uscc)
    assert sorted(row["size"] for row in sizes) == [10, BLOCK_POINTS]
    assert await alarms(db) == []  # they are not registered, so nothing is known to judge them by


async def test_a_source_is_heard_when_it_last_spoke_and_its_promise_is_kept(db):
    def beat(second: int, interval_s: int) -> Heartbeat:
        at = START + timedelta(seconds=second)
        name = event_id(PUSHER.uscc, "//plant/gateway", str(second))
        where = {"enterprise": PUSHER.uscc, "region": PUSHER.region, "industry": PUSHER.industry}
        return Heartbeat(id=name, source="//plant/gateway", time=at, data=HeartbeatData(interval_s=interval_s), **where)

    await raise_and_clear_alarms.handle(db, [beat(5, 60), beat(0, 30)])
    await raise_and_clear_alarms.handle(db, [beat(1, 10)])

    heard = await db.fetchrow("SELECT heard_at, interval_s FROM sources WHERE source = '//plant/gateway'")
    assert tuple(heard) == (START + timedelta(seconds=5), 60)
