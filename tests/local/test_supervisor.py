"""Whatever is killed comes back, what still runs is kept, and in the end nothing is left."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import psutil
import pytest

from deploy.local import claim, processes, status, stopping
from deploy.local.status import Row
from tests.stack import free_base

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

SCRIPT = str(Path(__file__).with_name("stack_of_dummies.py"))
CHILDREN = ("postgres", "kafka", "ingest", "hazards")


class Up:
    """`fengsui up` in a home, as someone at a terminal has it."""

    def __init__(self, home: Path, port_base: int) -> None:
        self.home = home
        self.port_base = port_base
        self.log = home.with_suffix(".up")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Up":
        with self.log.open("w") as words:
            command = [sys.executable, SCRIPT, str(self.home), str(self.port_base)]
            self.process = subprocess.Popen(command, stdout=words, stderr=words, start_new_session=True)
        return self

    def ready(self) -> "Up":
        eventually(lambda: "Ctrl-C" in self.said() or not self.lives(), 90)
        assert self.lives(), self.said()
        eventually(lambda: all(row.ready for row in status.rows(self.home)))
        return self

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, how: signal.Signals | None = None) -> int:
        """Its exit status, after this signal or by itself."""
        assert self.process
        if how:
            self.process.send_signal(how)
        return self.process.wait(90)

    def said(self) -> str:
        return self.log.read_text()


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def living(home: Path) -> dict[str, int]:
    found = {record.name: record.process() for record in processes.all_recorded(home)}
    return {name: process.pid for name, process in found.items() if process}


def rows(home: Path) -> dict[str, Row]:
    return {row.name: row for row in status.rows(home)}


def is_over(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(tmp_path_factory.mktemp("up") / "home", free_base())
    yield up
    stopping.down(up.home, print)
    assert living(up.home) == {}


@pytest.fixture
def up(running: Up) -> Up:
    """The module's stack, started again where the test before has ended it."""
    return running if running.lives() else running.start().ready()


def test_a_second_start_says_who_holds_the_home(up: Up) -> None:
    supervisor = claim.holder(up.home)
    assert supervisor
    second = Up(up.home, up.port_base)
    second.log = up.home.with_suffix(".second")

    assert second.start().end() == 1
    assert f"is held by a supervisor (pid {supervisor.pid}, since " in second.said()
    assert living(up.home).keys() == set(CHILDREN)


def test_what_a_killed_supervisor_left_is_adopted(up: Up) -> None:
    before = living(up.home)
    up.end(signal.SIGKILL)
    os.kill(before["hazards"], signal.SIGKILL)

    up.start().ready()

    after = living(up.home)
    assert {name for name in CHILDREN if after[name] == before[name]} == {"postgres", "kafka", "ingest"}


def test_down_stops_what_a_killed_supervisor_left(up: Up) -> None:
    up.end(signal.SIGKILL)
    said: list[str] = []

    stopping.down(up.home, said.append)
    stopping.down(up.home, said.append)

    assert living(up.home) == {}
    assert said == ["hazards, ingest stopped", "kafka stopped", "postgres stopped", f"nothing runs in {up.home}"]


def test_what_listens_at_another_port_base_is_started_anew(up: Up) -> None:
    before = living(up.home)
    up.end(signal.SIGKILL)

    up.port_base = free_base()
    up.start().ready()

    after = living(up.home)
    assert {name for name in CHILDREN if after[name] == before[name]} == {"postgres", "kafka"}
    assert rows(up.home)["ingest"].port == up.port_base + 1


@pytest.mark.parametrize("name", ["ingest", "kafka", "postgres"])
def test_what_is_killed_is_started_again(up: Up, name: str) -> None:
    before = living(up.home)[name]

    os.kill(before, signal.SIGKILL)

    eventually(lambda: living(up.home).get(name, before) != before and rows(up.home)[name].ready)
    assert f"{name} ended" in up.said()


def test_what_is_held_does_not_answer_and_the_rest_does(up: Up) -> None:
    for name in ("postgres", "kafka", "ingest"):
        os.kill(living(up.home)[name], signal.SIGSTOP)
    supervisor = claim.holder(up.home)
    assert supervisor
    supervisor.suspend()
    eventually(lambda: processes.held(supervisor))
    began = time.monotonic()

    found = rows(up.home)

    assert time.monotonic() - began < 5
    assert {name for name, row in found.items() if row.reason == "does not answer"} == {
        "supervisor",
        "postgres",
        "kafka",
        "ingest",
    }
    assert found["hazards"].ready
    stopping.down(up.home, print)
    assert living(up.home) == {}


def test_no_service_is_given_the_superusers_password(up: Up) -> None:
    seen = orjson.loads((up.home / "seen.ingest").read_bytes())

    assert seen["FENGSUI_POSTGRES_WORK"].startswith("postgresql://ingest_work:")
    assert (up.home / "secrets" / "postgres.postgres").read_text().strip() not in str(seen)


def test_an_interrupt_leaves_nothing_running(up: Up) -> None:
    pids = living(up.home)

    exit_status = up.end(signal.SIGINT)

    assert exit_status == 0
    assert pids.keys() == set(CHILDREN)
    assert all(is_over(pid) for pid in pids.values())
    assert {row.reason for row in status.rows(up.home)} == {"is not running"}


def test_a_taken_port_is_named_with_its_holder_and_nothing_is_left(running: Up) -> None:
    stopping.down(running.home, print)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", running.port_base + 2))
        stranger.listen()

        exit_status = running.start().end()

    assert exit_status == 1
    assert f"fengsui: port {running.port_base + 2} (hazards) is taken by " in running.said()
    assert f"pid {os.getpid()}" in running.said()
    assert "Traceback" not in running.said()
    assert living(running.home) == {}
    assert not claim.is_held(running.home)
