"""A process without one of its tasks is worse than one that is started again."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from shared import giving_up
from shared.jobs import Jobs

ENDS = """
import asyncio
from shared.jobs import Jobs

async def job():
    await asyncio.Event().wait()

async def main():
    jobs = Jobs([job])
    await asyncio.sleep(0)
    next(task for task in asyncio.all_tasks() if task.get_name() == "job").cancel()
    await asyncio.sleep(30)

asyncio.run(main())
"""


@pytest.fixture
def given_up(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How the process would have ended."""
    found: list[Any] = []
    monkeypatch.setattr("shared.jobs.give_up", lambda event, **fields: found.append((event, fields)))
    return found


async def until_ended(task: "asyncio.Task[None]") -> None:
    await asyncio.wait({task})
    await asyncio.sleep(0)


async def waits() -> None:
    await asyncio.Event().wait()


async def test_a_task_that_is_cancelled_from_elsewhere_ends_the_process(given_up: list[Any]) -> None:
    jobs = Jobs([waits])
    await asyncio.sleep(0)

    jobs._tasks[0].cancel()
    await until_ended(jobs._tasks[0])

    assert given_up == [("job_ended", {"job": "waits", "error": "cancelled"})]
    await jobs.stop()


async def test_a_task_that_fails_while_it_tells_of_a_failure_ends_the_process(
    given_up: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_tell(*_words: Any, **_fields: Any) -> None:
        raise OSError("no space left")

    async def fails() -> None:
        raise ValueError("a job's own fault")

    monkeypatch.setattr("shared.jobs.telemetry.log.exception", cannot_tell)
    jobs = Jobs([fails])
    await until_ended(jobs._tasks[0])

    assert [fields["error"] for _, fields in given_up] == ["OSError"]
    await jobs.stop()


async def test_a_stop_ends_no_process(given_up: list[Any]) -> None:
    jobs = Jobs([waits, waits])
    await asyncio.sleep(0)

    await jobs.stop()

    assert given_up == []


def test_a_process_that_gives_up_is_gone_with_its_code_and_says_why() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDS], check=False, capture_output=True, text=True, timeout=60)

    assert ended.returncode == giving_up.CODE
    assert "job_ended" in ended.stdout + ended.stderr
