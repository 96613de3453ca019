"""The process is killed at its seams: every message arrives, and the only doubles are attempts marked as repeated."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from deploy.local import secrets
from deploy.local.postgres import Postgres
from tests.notify.conftest import Hear
from tests.notify.stand import Door, Phone, on_duty, there
from tests.notify.world import COUNTY, case_event
from tests.stack import free_base, until

pytestmark = pytest.mark.postgres


async def begin(notices: Postgres, home: Path, faults: str = "") -> asyncio.subprocess.Process:
    """The whole service, whose bus is away."""
    environment = os.environ | {
        "FENGSUI_HOME": str(home),
        "FENGSUI_PORT": str(free_base()),
        "FENGSUI_KAFKA": "127.0.0.1:1",
        "FENGSUI_POSTGRES_WORK": there(notices.dsn("notify_work")),
        "FENGSUI_POSTGRES_ASK": there(notices.dsn("notify_ask")),
        "FENGSUI_JWKS": str(secrets.folder(home) / "jwks.json"),
        "FENGSUI_WEBHOOK_ALLOW": "127.0.0.0/8",
        "FENGSUI_FAULTS": faults,
    }
    with (home / "notify-killed.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.notify", env=environment, stdout=log, stderr=log
        )


@pytest.mark.parametrize("point", ["attempt.before_call", "attempt.after_answer"])
async def test_a_kill_loses_no_message_and_marks_what_it_repeats(
    point: str,
    notices: Postgres,
    home: Path,
    door: Door,
    owner: asyncpg.Connection,
    db: asyncpg.Connection,
    hear: Hear,
    phone: Phone,
) -> None:
    await on_duty(door, [("anna", COUNTY)], phone.url)
    await hear(*(case_event(case=f"case-{number}") for number in range(40)))

    killed = await begin(notices, home, f"{point}=kill#25")
    assert await asyncio.wait_for(killed.wait(), 60) == -9
    await owner.execute("UPDATE deliveries SET due_at = now() WHERE state = 'sending'")  # their leases run out
    again = await begin(notices, home)
    try:
        await until(
            lambda: db.fetchval("SELECT count(*) FROM deliveries WHERE state <> 'delivered'"), lambda n: n == 0, 60
        )
    finally:
        again.terminate()
        await asyncio.wait_for(again.wait(), 30)

    times = Counter(each["id"] for each in phone.taken)
    rows = await db.fetch("SELECT delivery_id FROM attempts WHERE outcome = 'repeated'")
    repeated = {str(row["delivery_id"]) for row in rows}
    assert len(times) == 40
    assert {name for name, count in times.items() if count > 1} <= repeated
    assert max(times.values()) <= 2
