"""`fengsui up`: everything runs, what dies is started again, and nothing stays behind."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.local import claim, plan, ports, processes, tally
from deploy.local.probes import Probe
from deploy.local.processes import ENDED, NOT_READY, Child
from deploy.local.stack import Stack, Step
from deploy.local.stopping import stop_recorded
from deploy.refusal import Refusal

PATIENCE = 180.0  # seconds; a broker or a database that was killed may have much to read again
OUTSIDE_PATIENCE = 10.0
TRIES, TOO_EARLY_TRIES = 3, 12  # twelve tries take 35 s with the pauses between them
SETTLED = 30.0  # seconds alive, after which a death counts as the first one
FREE_BYTES = 1024**3

FULL = "{home} has only {free:.0f} MiB free, and 1024 are needed"
GOES_ON = "{name:<10} goes on (pid {pid})"
READY = "{name:<10} ready  {seconds:.1f} s"
DONE = "{name:<10} done   {seconds:.1f} s"
WAITING = "{name:<10} not ready after {seconds:.0f} s: {reason}"
AGAIN = "{name} ended ({words}) and is started again in {pause:g} s"
UP = "all is ready after {seconds:.1f} s; data and logs are in {home}"
UNREACHABLE = "FENGSUI_{name}: {host}:{port} {reason}"
HOW_TO_STOP = "Ctrl-C or `fengsui down` stops all of it"

Say = Callable[[str], None]


def say(line: str) -> None:
    """A line for whoever watches, and nobody has to: a lost terminal or a full disk is no reason to stop."""
    with suppress(OSError):
        print(line, flush=True)


def shortened(reason: str) -> str:
    return reason if len(reason) <= 120 else f"{reason[:119]}…"


class Supervisor:
    """Brings up one stack in one home and keeps it up."""

    def __init__(self, home: Path, build: Callable[[Say], Stack], say: Say = say) -> None:
        self._home = home
        self._build = build
        self._say = say
        self._stack: Stack | None = None
        self._was_ready: set[str] = set()

    async def run(self) -> None:
        """Ends only when it is cancelled, or with the sentence that says why it cannot go on."""
        with claim.hold(self._home):
            self._check_disk()
            try:
                async with asyncio.TaskGroup() as self._keepers:
                    self._stack = await asyncio.to_thread(self._build, self._say)
                    await self._rise(self._stack)
                    await self._watch(self._stack)
            except BaseExceptionGroup as group:
                raise _first(group) from None
            finally:
                with suppress(OSError):  # a full disk keeps nothing running
                    self._declare("stopping")
                await asyncio.to_thread(stop_recorded, self._home, self._say)
                (self._home / "run" / "stack.state").unlink(missing_ok=True)

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._home).free
        if free < FREE_BYTES:
            raise Refusal(FULL.format(home=self._home, free=free / 1024**2))

    async def _rise(self, stack: Stack) -> None:
        began = time.monotonic()
        self._declare("starting")
        await asyncio.to_thread(self._make_way, stack)
        for stage in stack.stages:
            async with asyncio.TaskGroup() as steps:
                for step in stage:
                    steps.create_task(self._take(step))
        self._say(UP.format(seconds=time.monotonic() - began, home=self._home))
        for line in (*stack.addresses(), HOW_TO_STOP):
            self._say(line)
        self._declare("ready")

    def _declare(self, phase: claim.Phase) -> None:
        if stack := self._stack:
            claim.declare(self._home, claim.State(os.getpid(), phase, stack.port_base, stack.demo, stack.parts))

    def _make_way(self, stack: Stack) -> None:
        """Stops what an earlier supervisor left and no longer fits, and names whoever sits on a port of ours."""
        fitting = {child.name for child in stack.children if self._adoptable(child)}
        others = {record.name for record in processes.all_recorded(self._home)} - fitting
        stop_recorded(self._home, self._say, only=others)
        for child in stack.children:
            if child.port and child.name not in fitting and not ports.is_free(child.port):
                raise ports.taken(child.name, child.port)

    def _adoptable(self, child: Child) -> psutil.Process | None:
        record = processes.recorded(self._home, child.name)
        process = record.process() if record and record.fit == child.fit else None
        return process if process and not processes.held(process) else None

    async def _take(self, step: Step) -> None:
        began = time.monotonic()
        if child := step.child:
            if process := self._adoptable(child):
                self._say(GOES_ON.format(name=child.name, pid=process.pid))
            self._keepers.create_task(self._keep(child, step.before, process))
            if child.probe:
                await self._until_ready(child.name, child.probe, PATIENCE, began)
            self._was_ready.add(child.name)
        elif step.outside:
            await self._until_ready(step.name, step.outside, OUTSIDE_PATIENCE, began)
        if step.after:
            await step.after()
        if not step.child and not step.outside:
            self._say(DONE.format(name=step.name, seconds=time.monotonic() - began))

    async def _until_ready(self, name: str, probe: Probe, patience: float, began: float) -> None:
        next_word = 10.0
        while reason := await asyncio.to_thread(probe.ask, 1.0):
            waited = time.monotonic() - began
            if waited > patience:
                raise Refusal(self._unready(name, probe, waited, reason))
            if waited > next_word:
                self._say(WAITING.format(name=name, seconds=waited, reason=shortened(reason)))
                next_word *= 2
            await asyncio.sleep(0.1)
        self._say(READY.format(name=name, seconds=time.monotonic() - began))

    def _unready(self, name: str, probe: Probe, waited: float, reason: str) -> str:
        if processes.recorded(self._home, name):
            log = self._home / "log" / f"{name}.log"
            return NOT_READY.format(name=name, seconds=waited, reason=reason, log=log)
        return UNREACHABLE.format(name=name.upper(), host=probe.host, port=probe.port, reason=reason)

    async def _keep(self, child: Child, before: Callable[[], None] | None, process: psutil.Process | None) -> None:
        """Starts it again whenever it has died; before it was ever ready, only a few times."""
        deaths = 0
        while True:
            born, since = time.monotonic(), processes.marks(child, self._home)
            try:
                if before and not process:
                    await asyncio.to_thread(before)
                process = process or processes.spawn(child, self._home)
                while not processes.gone(process):  # noqa: ASYNC110 (an adopted one is no child to wait for)
                    await asyncio.sleep(0.2)
                words = processes.last_words(since)
            except (Refusal, OSError, psutil.Error) as error:
                if child.name not in self._was_ready:
                    raise
                words = str(error)
            process = None
            deaths = 1 if time.monotonic() - born > SETTLED else deaths + 1
            tries = TOO_EARLY_TRIES if processes.too_early(child, words) else TRIES
            if child.name not in self._was_ready and deaths >= tries:
                raise Refusal(ENDED.format(name=child.name, words=words, log=child.logs(self._home)[-1]))
            pause = plan.backoff(deaths)
            self._say(AGAIN.format(name=child.name, words=words, pause=pause))
            await asyncio.sleep(pause)

    async def _watch(self, stack: Stack) -> None:
        """Says what went through, when it has changed: every 5 s to a person, every minute to a log."""
        listening = {child.name: child.port for child in stack.children if child.port}
        said = None
        while True:
            await asyncio.sleep(5 if sys.stdout.isatty() else 60)
            line = await asyncio.to_thread(tally.line, listening)
            if line and line != said:
                self._say(line)
            said = line


async def run_until_told(supervisor: Supervisor) -> None:
    """Ctrl-C, SIGTERM or a closed terminal stops all of it; a second one changes nothing."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, lambda: task.cancelling() or task.cancel())
    with suppress(asyncio.CancelledError):
        await supervisor.run()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
