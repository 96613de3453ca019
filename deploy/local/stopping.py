"""Whatever was started ends, in the order in which nothing loses what it stands on."""

import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from deploy.local import claim, plan, processes
from deploy.refusal import Refusal

PATIENCE = 90.0  # seconds; the supervisor's own children take at most 10 + 30 + 30
STOPPED = "{names} stopped"
NOTHING = "nothing runs in {home}"
OBSTINATE = "pid {pid} holds {home} and cannot be stopped ({reason})"


def stop_recorded(home: Path, say: Callable[[str], None], only: Iterable[str] | None = None) -> list[str]:
    """Stops the home's children, whoever started them, and returns the names of those that lived."""
    living = {}
    for record in processes.all_recorded(home):
        if only is not None and record.name not in only:
            continue
        if process := record.process():
            living[record.name] = process
        else:
            (home / "run" / f"{record.name}.json").unlink(missing_ok=True)
    for group in plan.stopping_order(living):
        with ThreadPoolExecutor(len(group)) as pool:
            list(pool.map(lambda name: processes.stop(living[name], name), group))
        for name in group:
            (home / "run" / f"{name}.json").unlink(missing_ok=True)
        say(STOPPED.format(names=", ".join(group)))
    return list(living)


def down(home: Path, say: Callable[[str], None]) -> None:
    """Ends the supervisor, or what a killed one left behind."""
    if supervisor := claim.holder(home):
        _end_supervisor(supervisor, home)
        stopped = [*_stop_orphans(home, say), "supervisor"]
        say(STOPPED.format(names="the stack"))
    else:
        stopped = _stop_orphans(home, say) if (home / "run").is_dir() else []
    if not stopped:
        say(NOTHING.format(home=home))


def _stop_orphans(home: Path, say: Callable[[str], None]) -> list[str]:
    with claim.hold(home):
        stopped = stop_recorded(home, say)
        (home / "run" / "stack.state").unlink(missing_ok=True)
    return stopped


def _end_supervisor(supervisor: psutil.Process, home: Path) -> None:
    try:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.send_signal(signal.SIGCONT)
        until = time.monotonic() + PATIENCE
        while claim.holder(home) == supervisor and time.monotonic() < until:
            time.sleep(0.1)
        if claim.holder(home) == supervisor:
            supervisor.kill()
        processes.has_ended(supervisor, 5.0)
    except psutil.NoSuchProcess:
        pass
    except psutil.Error as error:
        raise Refusal(OBSTINATE.format(pid=supervisor.pid, home=home, reason=type(error).__name__)) from error
