"""Commands as a person runs them, against doors that answer what a test tells them."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local import claim
from deploy.refusal import Refusal
from tests.cli.doors import Doors, opened


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Fengsui = Callable[..., Ran]


@pytest.fixture
def doors() -> Iterator[Doors]:
    with opened() as open_doors:
        yield open_doors


@pytest.fixture
def cli_home(tmp_path: Path, doors: Doors) -> Path:
    """A home whose stack the doors are."""
    place = tmp_path / "home"
    claim.declare(place, claim.State(os.getpid(), "ready", doors.base, demo=False))
    return place


@pytest.fixture
def fengsui() -> Fengsui:
    """Runs a command in a thread, where no loop runs yet; the sentence of a refusal stands on `err`."""

    def run(*words: object, stdin: bytes | str | None = None, **env: str) -> Ran:
        clean = {"FENGSUI_HOME": None, "FENGSUI_TOKEN": None, "FENGSUI_KEY": None} | env
        with ThreadPoolExecutor(1) as thread:
            ran = thread.submit(CliRunner().invoke, app, [str(word) for word in words], input=stdin, env=clean).result()
        if isinstance(ran.exception, Refusal | OSError):
            return Ran(1, ran.stdout, ran.stderr + str(ran.exception))
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    return run
