"""Two supervisors never hold one home."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local import claim
from deploy.local.claim import Part, State
from deploy.local.probes import Probe
from deploy.refusal import Refusal

HOLD = "import sys, pathlib; from deploy.local import claim\nwith claim.hold(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"  # noqa: E501


def other_holder(home: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    return holder


def test_the_second_supervisor_is_told_who_was_first_and_since_when(tmp_path: Path) -> None:
    with other_holder(tmp_path) as first:
        with (
            pytest.raises(Refusal, match=rf"held by a supervisor \(pid {first.pid}, since 20\d\d-"),
            claim.hold(tmp_path),
        ):
            pass

        first.kill()


def test_a_killed_supervisor_holds_nothing(tmp_path: Path) -> None:
    with other_holder(tmp_path) as first:
        seen = claim.holder(tmp_path)
        first.kill()

    assert seen
    assert seen.pid == first.pid
    with claim.hold(tmp_path):
        assert claim.holder(tmp_path) == psutil.Process()


def test_nobody_holds_a_home_that_was_never_used(tmp_path: Path) -> None:
    assert claim.holder(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


def test_a_garbled_lock_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisor.lock").write_bytes(b"\xff garbage, and long enough to stay behind a short pid")

    with claim.hold(tmp_path):
        assert claim.holder(tmp_path) == psutil.Process()


def test_a_home_that_cannot_be_written_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Refusal, match=r"file cannot be written \("), claim.hold(tmp_path / "file"):
        pass


def test_what_a_supervisor_declares_is_read_as_it_was(tmp_path: Path) -> None:
    parts = [Part("kafka", 9092, Probe("kafka", "127.0.0.1", 9092)), Part("feed", None, None)]
    state = State(7, "ready", 8000, True, parts)

    claim.declare(tmp_path, state)

    assert claim.declared(tmp_path) == state
