"""The ledger is silent about books that balance, and each of its checks sees what is wrong."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import asyncpg
import orjson
import pytest

from bench.chaos.events import Maker, Saw
from bench.chaos.ledger import CHECKS, INDEX, PREPARE, Balance, Finding, check, pushed
from bench.chaos.platform import SERVICES
from bench.chaos.readings import expected_alarms
from deploy.local.postgres import Postgres
from shared.events.event import event_id
from shared.migrate import migrate
from tests.chaos.books import BALANCED, FORBIDDEN_BY_THE_SCHEMA, WRONG

DATABASE = "chaos_books"


@pytest.fixture(scope="session")
async def books_dsn(postgres: Postgres) -> str:
    """A database with every service's tables, that no service uses."""
    server = await asyncpg.connect(postgres.admin_dsn)
    await server.execute(f"CREATE DATABASE {DATABASE}")
    await server.close()
    there = postgres.admin_dsn.rsplit("/", 1)[0] + f"/{DATABASE}"
    owner = await asyncpg.connect(there)
    for service in SERVICES:
        await owner.execute(f"CREATE SCHEMA {service} AUTHORIZATION {service}_owner")
        await owner.execute(f"GRANT USAGE ON SCHEMA {service} TO {service}_work, {service}_ask")
    await owner.close()
    for service in SERVICES:
        await migrate(there, service)
    return there


@pytest.fixture
async def books(books_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to books that balance, in a transaction that is rolled back."""
    db = await asyncpg.connect(books_dsn)
    await db.execute("BEGIN")
    await db.execute(PREPARE)
    await db.execute(BALANCED)
    yield db
    await db.execute("ROLLBACK")
    await db.close()


async def found(books: asyncpg.Connection) -> set[str]:
    await books.execute(INDEX)
    return {f"{each.stage} {each.column} {each.what}" for each in await check(books) if each.wrong}


@pytest.mark.postgres
async def test_books_that_balance_are_clean(books: asyncpg.Connection) -> None:
    assert await found(books) == set()


@pytest.mark.postgres
@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_seen_by_its_check(books: asyncpg.Connection, name: str) -> None:
    await books.execute(WRONG[name])

    assert name in await found(books)


@pytest.mark.postgres
async def test_a_repetition_that_is_marked_is_allowed(books: asyncpg.Connection) -> None:
    await books.execute("INSERT INTO received SELECT 1, id, notification, message, how FROM received")
    await books.execute(
        "INSERT INTO notify.attempts SELECT delivery_id, 2, notification_id, message, channel, at, 'repeated', detail "
        "FROM notify.attempts"
    )

    assert await found(books) == set()


def test_every_check_is_shown_to_see() -> None:
    assert set(WRONG) | FORBIDDEN_BY_THE_SCHEMA == {name.replace("__", " ") for name in CHECKS}


def test_one_wrong_row_anywhere_is_enough() -> None:
    right, wrong = Finding("bus", "missing", "a", 0, ()), Finding("bus", "missing", "b", 2, ("x",))

    assert Balance({}, [right]).clean
    assert not Balance({}, [right, wrong]).clean
    assert Balance({}, [right, wrong]).table() == {"bus": {"missing": 2}}


def test_an_acknowledged_event_is_looked_for_by_its_name_on_the_bus(tmp_path: Path) -> None:
    file = tmp_path / "acknowledged.jsonl"
    line = {
        "source": "//a",
        "id": "1",
        "enterprise": "E",
        "type": "fengsui.alarm.v1",
        "level": "red",
        "state": "raised",
    }
    hazard = line | {"id": "2", "type": "fengsui.hazard.v1", "level": None, "state": None}
    file.write_bytes(b"\n".join(map(orjson.dumps, (line, line | {"id": "3", "level": "blue"}, hazard))))

    assert list(pushed(file)) == [
        (event_id("E", "//a", "1"), "alarm", True, True),
        (event_id("E", "//a", "3"), "alarm", True, False),
        (event_id("E", "//a", "2"), "hazard", False, True),
    ]


def test_readings_that_cross_a_limit_must_raise_and_clear_it(tmp_path: Path) -> None:
    frames = [(1, 50.0), (2, 95.0), (3, 101.0), (4, 50.0)]
    lines = [
        {"enterprise": "E", "time": f"2026-01-01T00:00:0{s}+00:00", "points": ["M-0"], "values": [v]} for s, v in frames
    ]
    file = tmp_path / "readings.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))

    expected = list(expected_alarms(file))

    assert [(raised, red) for _, raised, red in expected] == [
        (True, False),
        (True, True),
        (False, True),
        (False, False),
    ]
    assert expected[0][0] == event_id("E", "//fengsui/engine", "M-0/H/2026-01-01T00:00:02Z/raised")


def test_no_event_of_an_enterprise_is_made_twice() -> None:
    maker = Maker("1", ("P-1",), Random(1))

    names = [item["id"] for _ in range(200) for item in maker.batch()]

    assert len(names) == len(set(names))


def test_each_frame_is_newer_than_the_one_before() -> None:
    saw = Saw(("M-0", "M-1"), Random(1), datetime(2026, 1, 1, tzinfo=UTC))

    times = [datetime.fromisoformat(saw.frame()["time"]) for _ in range(50)]

    assert times == sorted(set(times))
