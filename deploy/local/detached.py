"""`fengsui up --detach`: returns when all is ready, and leaves nothing of the terminal to what goes on."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local import claim, processes
from deploy.local.claim import UNWRITABLE
from deploy.refusal import Refusal

PATIENCE = 300.0  # seconds
PREFIX = "fengsui: "
OTHERWISE = "{home} is held by a supervisor with port base {port_base} and {demo} demo: `fengsui down` first"
SLOW = "not everything was ready after {seconds:.0f} s: `fengsui status` says what"
NO_WORD = "the supervisor ended without a word (see {log})"


def up(home: Path, port_base: int, demo: bool, say: Callable[[str], None]) -> None:
    """Starts a supervisor of its own session where none holds the home, and follows its log until all is ready."""
    log = home / "log" / "supervisor.log"
    try:
        claim.make(home)
        log.parent.mkdir(mode=0o700, exist_ok=True)
        processes.set_aside(log)
        with log.open("ab") as words:
            start = words.tell()
            starting = None if claim.is_held(home) else _spawn(home, port_base, demo, words.fileno())
    except OSError as error:
        raise Refusal(UNWRITABLE.format(home=home, reason=error.strerror)) from error
    follow(home, port_base, demo, starting, log, start, say)


def _spawn(home: Path, port_base: int, demo: bool, words: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "deploy.cli", "up", "--home", str(home), "--port-base", str(port_base)]
    return subprocess.Popen(
        command if demo else [*command, "--no-demo"],
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        cwd=home,
        start_new_session=True,
    )


def follow(
    home: Path,
    port_base: int,
    demo: bool,
    starting: subprocess.Popen[bytes] | None,
    log: Path,
    start: int,
    say: Callable[[str], None],
) -> None:
    """Whichever supervisor holds the home, ours or one that was quicker."""
    until = time.monotonic() + PATIENCE
    with log.open("r", errors="replace") as lines:
        lines.seek(start)
        last = ""
        while time.monotonic() < until:
            state = claim.declared(home)
            holder = claim.holder(home)
            ready = state is not None and holder is not None and state.pid == holder.pid and state.phase == "ready"
            over = starting is not None and starting.poll() is not None and holder is None
            while line := lines.readline().rstrip("\n"):
                last = line
                if not line.startswith(PREFIX):
                    say(line)
            if ready:
                return _refuse_if_other(home, port_base, demo, state)
            if over:
                raise Refusal(last.removeprefix(PREFIX) or NO_WORD.format(log=log))
            time.sleep(0.1)
    raise Refusal(SLOW.format(seconds=PATIENCE))


def _refuse_if_other(home: Path, port_base: int, demo: bool, state: claim.State | None) -> None:
    if state and (state.port_base, state.demo) != (port_base, demo):
        words = "the" if state.demo else "no"
        raise Refusal(OTHERWISE.format(home=home, port_base=state.port_base, demo=words))
