"""A child is found again by pid and birth, and ends when it is told to."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from deploy.local import processes
from deploy.local.probes import Probe
from deploy.local.processes import Child, Record
from deploy.refusal import Refusal

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
DEAF = (sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)")
ENV = {**os.environ, "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[psutil.Process]:
    process = processes.spawn(Child("sleeper", SLEEP, ENV), tmp_path)
    yield process
    processes.kill(process)


def test_a_child_is_found_again_by_its_record(tmp_path: Path, sleeper: psutil.Process) -> None:
    record = processes.recorded(tmp_path, "sleeper")

    assert record
    assert record.process() == sleeper
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_a_child_that_only_becomes_its_command_is_found(
    tmp_path: Path, sleeper: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = processes.recorded(tmp_path, "sleeper")
    monkeypatch.setattr(psutil.Process, "cmdline", lambda _process: [])

    assert record
    assert record.process() == sleeper
    assert replace(record, create_time=1.0).process() is None


def test_a_stranger_with_the_same_pid_is_not_taken_for_the_child(tmp_path: Path, sleeper: psutil.Process) -> None:
    record = processes.recorded(tmp_path, "sleeper")
    assert record

    younger, other = replace(record, create_time=1.0), replace(record, cmd=["other"])

    assert younger.process() is None
    assert other.process() is None


def test_a_dead_child_is_not_found_even_before_it_is_reaped(tmp_path: Path, sleeper: psutil.Process) -> None:
    record = processes.recorded(tmp_path, "sleeper")
    assert record

    os.kill(sleeper.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert record.process() is None


def test_a_garbled_record_is_none(tmp_path: Path) -> None:
    processes.write(tmp_path / "run" / "kafka.json", {"pid": 1})
    (tmp_path / "run" / "ingest.json").write_bytes(b"\x00")

    assert processes.recorded(tmp_path, "kafka") is None
    assert processes.all_recorded(tmp_path) == []


def test_the_record_holds_no_setting_of_the_child(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEP, ENV | {"FENGSUI_POSTGRES_WORK": "postgresql://w:hidden@h/d"})

    process = processes.spawn(child, tmp_path)
    processes.kill(process)

    record = processes.recorded(tmp_path, "sleeper")
    assert record
    assert record.fit == child.fit
    assert "hidden" not in str(asdict(record)) + str(child)


def test_a_child_that_is_held_can_be_stopped(sleeper: psutil.Process) -> None:
    sleeper.suspend()

    processes.stop(sleeper, "sleeper")

    assert processes.gone(sleeper)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(processes.STOPPING, "deaf", (signal.SIGTERM, 0.2))
    process = processes.spawn(Child("deaf", DEAF, ENV), tmp_path)
    while not (tmp_path / "log" / "deaf.log").read_text():
        pass

    processes.stop(process, "deaf")

    assert processes.gone(process)


def test_what_ends_before_it_is_ready_is_quoted(tmp_path: Path) -> None:
    dying = Child("dying", (sys.executable, "-c", "raise ValueError('no such luck')"), ENV, port=1)
    probe = Probe("http", "127.0.0.1", 1)

    with pytest.raises(Refusal, match="dying ended before it was ready: ValueError: no such luck"):
        processes.start(replace(dying, probe=probe), tmp_path)


def test_the_telling_line_is_found_among_many(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("old ERROR\nx\ny IOException: Error reading quorum-state\nCaused by: EOFException: early\nbye\n")

    words = processes.last_words({log: 10, tmp_path / "missing.log": 0})

    assert words == "y IOException: Error reading quorum-state"


def test_a_big_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_BYTES", 10)
    log = tmp_path / "a.log"
    log.write_text("more than ten bytes")

    processes.set_aside(log)

    assert not log.exists()
    assert (tmp_path / "a.log.1").exists()


def test_a_record_is_a_value() -> None:
    assert Record("a", 1, 1.0, None, [], "f") == Record("a", 1, 1.0, None, [], "f")
