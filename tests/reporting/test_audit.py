"""What ops decide on dead letters and partitions leaves rows of the audit trail, at this service as at any."""

from typing import Any

import asyncpg
import pytest

from deploy.tokens import mint
from tests.reporting.conftest import Door

pytestmark = pytest.mark.postgres

DEAD = """
INSERT INTO dead_letters (topic, partition, log_offset, key, payload, payload_size, reason, detail)
VALUES ('alarms', 0, 7, 'k', '{}', 2, 'test', 'test') RETURNING id
"""
STOPPED = """
INSERT INTO positions (topic, partition, next, cluster, topic_id, stopped)
VALUES ('alarms', 99, 1, 'c', 'a0b5f7a4-5c1e-5f0e-9b1a-7e2f6c9d4e21', 'poison')
"""


async def post(door: Door, path: str, body: Any, role: str = "ops") -> int:
    headers = {"Authorization": f"Bearer {mint(door.home, 'ops li', role, '220000')}"}
    async with door.session.post(door.url + path, json=body, headers=headers) as answer:
        return answer.status


async def test_decisions_on_dead_letters_are_recorded(door: Door, owner: asyncpg.Connection, trail):
    first, second = [await owner.fetchval(DEAD) for _ in range(2)]

    replayed = await post(door, f"/v1/dead-letters/{first}/replay", {"payload": '{"corrected":1}', "note": "mended"})
    discarded = await post(door, f"/v1/dead-letters/{second}/discard", {"note": "a test's"})
    again = await post(door, f"/v1/dead-letters/{second}/discard", {"note": "again"})
    forbidden = await post(door, f"/v1/dead-letters/{second}/discard", {"note": "mine"}, role="manager")

    assert (replayed, discarded, again, forbidden) == (200, 200, 409, 403)
    assert [(row["actor"], row["action"], row["subject"], row["detail"]) for row in await trail()] == [
        (
            "ops li",
            "replay",
            f"dead_letter/{first}",
            {"topic": "alarms", "corrected": True, "note": "mended"},
        ),
        ("ops li", "discard", f"dead_letter/{second}", {"note": "a test's"}),
    ]


async def test_a_partition_that_goes_on_is_recorded(door: Door, owner: asyncpg.Connection, trail):
    await owner.execute("DELETE FROM positions WHERE partition = 99")
    await owner.execute(STOPPED)

    resumed = [await post(door, "/v1/partitions/alarms/99/resume", {}) for _ in range(2)]

    assert resumed == [200, 404]
    assert [(row["action"], row["subject"]) for row in await trail()] == [("resume", "partition/alarms/99")]


async def test_questions_leave_no_row(door: Door, trail):
    await door.ask("/v1/statistics/recount", "POST", role="ops")
    await door.ask("/v1/audit", role="ops")
    await door.ask("/v1/dead-letters", role="ops")

    assert await trail() == []
