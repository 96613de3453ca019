"""`fengsui up --detach`, `status` and `down`, with the real services, as a script uses them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.stack import free_base

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


class Shell:
    """Someone who types `fengsui` for one home."""

    def __init__(self, home: Path, port_base: int) -> None:
        self.env = {**os.environ, "FENGSUI_HOME": str(home), "FENGSUI_PORT_BASE": str(port_base)}

    def fengsui(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Reading to the end of its streams, which must end though the stack goes on."""
        command = [sys.executable, "-m", "deploy.cli", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=150, check=False)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    typing = Shell(tmp_path_factory.mktemp("detached") / "home", free_base())
    yield typing
    typing.fengsui("down")


def test_before_the_first_start_nothing_runs_and_nothing_is_made(shell: Shell) -> None:
    stopped, asked = shell.fengsui("down"), shell.fengsui("status", "--json")

    assert stopped.returncode == 0
    assert stopped.stdout == f"nothing runs in {shell.env['FENGSUI_HOME']}\n"
    assert asked.returncode == 1
    assert {row["reason"] for row in orjson.loads(asked.stdout)} == {"is not running"}
    assert not Path(shell.env["FENGSUI_HOME"]).exists()


def test_it_returns_when_all_is_ready(shell: Shell) -> None:
    started = shell.fengsui("up", "--no-demo", "--detach")
    asked = shell.fengsui("status", "--json")

    assert started.returncode == 0, started.stdout + started.stderr
    assert "http://127.0.0.1:" in started.stdout
    assert asked.returncode == 0, asked.stdout
    rows = orjson.loads(asked.stdout)
    assert [row["name"] for row in rows] == [
        "supervisor",
        "postgres",
        "kafka",
        "console",
        "ingest",
        "hazards",
        "notify",
        "reporting",
    ]
    assert all(row.keys() == {"name", "port", "pid", "ready", "reason"} for row in rows)


def test_again_it_returns_at_once(shell: Shell) -> None:
    again = shell.fengsui("up", "--no-demo", "--detach")

    assert again.returncode == 0
    assert again.stderr == ""


def test_another_port_base_is_refused_while_it_runs(shell: Shell) -> None:
    other = shell.fengsui("up", "--no-demo", "--detach", "--port-base", str(free_base() + 40))

    assert other.returncode == 1
    assert f"is held by a supervisor with port base {shell.env['FENGSUI_PORT_BASE']} and no demo" in other.stderr


def test_a_start_in_the_foreground_is_refused_while_it_runs(shell: Shell) -> None:
    second = shell.fengsui("up", "--no-demo")

    assert second.returncode == 1
    assert "is held by a supervisor (pid " in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_down_ends_it_and_says_so(shell: Shell) -> None:
    stopped, asked = shell.fengsui("down"), shell.fengsui("status")

    assert stopped.returncode == 0
    assert stopped.stdout == "the stack stopped\n"
    assert asked.returncode == 1


def test_a_home_that_cannot_be_made_is_one_sentence(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for how in ((), ("--detach",)):
        refused = shell.fengsui("up", "--home", str(tmp_path / "file" / "home"), *how)

        assert refused.returncode == 1
        assert refused.stderr.startswith(f"fengsui: {tmp_path / 'file' / 'home'} cannot be written (")
        assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FENGSUI_KAFKA", "nowhere", "should be host:port, or several of them with commas"),
        ("FENGSUI_KAFKA_HEAP", "lots", "should be a size such as 512m or 2g"),
        ("FENGSUI_RATE_LIMIT", "many", "events a second that one key may push"),
        ("FENGSUI_POSTGRES", "mysql://here", "should be postgresql://"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_starts(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setitem(shell.env, name, value)

    refused = shell.fengsui("up", "--no-demo", "--detach")

    assert refused.returncode != 0
    assert name in refused.stderr
    assert says in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "ready" not in refused.stdout
