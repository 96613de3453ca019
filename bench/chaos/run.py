"""One run from an empty home to its verdict."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
from confluent_kafka import KafkaException

from bench.chaos.census import census
from bench.chaos.ledger import Balance, audit, under_way
from bench.chaos.outsider import write_rubbish
from bench.chaos.platform import ROOT, Platform, opened
from bench.chaos.pushers import Log, Pushers
from bench.chaos.storm import Storm, weights
from bench.chaos.world import SHORT_PATIENCE, settle
from bench.machine import this_machine
from deploy.local import ports

BEHIND: Final = timedelta(hours=5)
"""How far the readings' own time lies back: a door set back by two hours takes them all the same."""
SAY_S: Final = 5.0
DRAIN_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for; the run ends when all of minutes, events and kills are reached."""

    minutes: float
    seed: int
    rate: float = 200.0
    events: int = 0
    kills: int = 0
    enterprises: int = 6
    faults: tuple[str, ...] = ()
    mild: bool = False
    quiet: bool = False
    """No faults at all."""
    pause_s: float = 6.0
    longest_s: float = 60.0
    aim: str = ""
    points: str = ""
    """Fault points, as FENGSUI_FAULTS writes them, of the service aimed at, in all its lives through the storm."""
    replicas: int = 2
    settle_s: float = 900.0
    timers: bool = True
    """Whether what takes minutes in earnest falls due within seconds."""


@dataclass
class Run:
    """The parts of a run while it lasts."""

    order: Order
    folder: Path
    """Of the whole run: the stack's home, the books that nothing may hurt, and the code (`tree`)."""
    small_disk: bool = False
    """The home is a small file system of its own, that may be filled."""

    async def carry_out(self) -> dict[str, Any]:
        """Everything, to the result that is written down."""
        began = time.monotonic()
        weight = {} if self.order.quiet else weights(self.order.faults, self.order.mild)
        network = {"cut", "slow", "silent", "half_open"} & set(weight)
        home, books = self.folder / "home", self.folder / "books"
        for each in (home, books):
            each.mkdir(exist_ok=True)
        platform = Platform(home, self.folder / "tree", proxied=bool(network), count=self.order.replicas)
        platform.small_disk = self.small_disk
        log = Log(books)
        async with opened(platform), self._receiver(platform, books / "received.jsonl") as receiver:
            urls = {service: platform.of(service)[0].url for service in ("ingest", "notify")}
            patience = SHORT_PATIENCE if self.order.timers else ""
            world = await settle(
                platform.session, home, urls, platform.admin_dsn, receiver, self.order.enterprises, patience
            )
            storm = Storm(
                platform, self.order.seed, weight, self.order.pause_s, self.order.longest_s, self.order.aim, self._say
            )
            doors = [replica.url for replica in platform.of("ingest")]
            start = datetime.now(UTC) - BEHIND  # noqa: TID251 (the enterprises' clock)
            pushers = Pushers(platform.session, doors, world, log, self.order.rate, self.order.seed, start)
            self._say(f"all is ready after {time.monotonic() - began:.0f} s; faults by seed {self.order.seed}")
            first = await asyncio.to_thread(census, platform)
            outsider = asyncio.create_task(
                write_rubbish(platform.bootstrap, [each.uscc for each in world], self.order.seed)
            )
            try:
                await self._storm(platform, storm, pushers)
            finally:
                outsider.cancel()
                await asyncio.gather(outsider, return_exceptions=True)
            log.close()
            left = await self._rest(platform)
            last = await asyncio.to_thread(census, platform)
            self._say("auditing")
            balance = await audit(platform.admin_dsn, platform.bootstrap, books, books / "received.jsonl")
            processes = {"start": first, "end": last}
            return self._result(storm, platform, log, balance, left, processes, time.monotonic() - began)

    async def _storm(self, platform: Platform, storm: Storm, pushers: Pushers) -> None:
        until = time.monotonic() + self.order.minutes * 60
        if self.order.points:
            await platform.renew(self.order.aim, FENGSUI_FAULTS=self.order.points)
        pushing = asyncio.create_task(pushers.run())
        hurting = asyncio.create_task(storm.run())
        saying = asyncio.create_task(self._progress(platform, storm, pushers))
        try:
            while (
                time.monotonic() < until or pushers.log.events < self.order.events or platform.kills < self.order.kills
            ):
                await asyncio.sleep(0.5)
                platform.check()
                for task in (pushing, hurting):
                    if task.done():
                        task.result()
                        if task is pushing:
                            raise RuntimeError("the pushers ended by themselves")
        finally:
            hurting.cancel()
            await asyncio.gather(hurting, return_exceptions=True)
            pushers.enough.set()
        if self.order.points:
            await platform.renew(self.order.aim)
        self._say("no more faults; what is not acknowledged yet is pushed until it is")
        try:
            async with asyncio.timeout(DRAIN_S):
                while not pushing.done():
                    platform.check()
                    await asyncio.wait([pushing], timeout=1)
            pushing.result()
        finally:
            saying.cancel()

    async def _progress(self, platform: Platform, storm: Storm, pushers: Pushers) -> None:
        began, before = time.monotonic(), 0
        while True:
            await asyncio.sleep(SAY_S)
            log = pushers.log
            rate, before = (log.events - before) / SAY_S, log.events
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            self._say(
                f"{minutes:3}:{seconds:02}  {log.events:>9,} events ({rate:,.0f}/s)  {log.frames:,} frames  "
                f"{log.unknown:,} sent again  {sum(storm.counts.values())} faults  {platform.kills} SIGKILLs"
            )

    async def _rest(self, platform: Platform) -> dict[str, int]:
        """Waits until all is at rest; what is left when it does not come to it."""
        until, left, said = time.monotonic() + self.order.settle_s, {"not asked": 1}, 0.0
        waiting = await platform.ready(120)
        while time.monotonic() < until:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, KafkaException):
                left = await under_way(platform.admin_dsn, platform.bootstrap)
                if not left:
                    return {}
            if time.monotonic() - said > SAY_S:
                said = time.monotonic()
                waiting = await platform.reasons()
                self._say(f"settling: {left}" + (f"; not ready: {waiting}" if waiting else ""))
            await asyncio.sleep(1)
        return left | {f"{name}: {why}": 1 for name, why in waiting.items()}

    @asynccontextmanager
    async def _receiver(self, platform: Platform, file: Path) -> AsyncIterator[int]:
        port = ports.kept(platform.home, "receiver", "none")
        command = [sys.executable, "-m", "bench.chaos.receiver", "--port", str(port), "--seed", str(self.order.seed)]
        command += ["--file", str(file)]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        try:
            yield port
        finally:
            process.terminate()
            await process.wait()

    def _result(
        self,
        storm: Storm,
        platform: Platform,
        log: Log,
        balance: Balance,
        left: dict[str, int],
        processes: dict[str, Any],
        seconds: float,
    ) -> dict[str, Any]:
        return {
            "seed": self.order.seed,
            "order": asdict(self.order),
            "machine": this_machine(),
            "seconds": round(seconds),
            "kills": platform.kills,
            "faults": dict(storm.counts),
            "not_here": storm.not_here,
            "exits": dict(sorted(platform.exits.items())),
            "server_lives": {name: server.lives for name, server in platform.servers.items()},
            "pushed": {
                "events": log.events,
                "frames": log.frames,
                "sent_again": log.unknown,
                "answers": dict(log.answers),
                "odd_answers": dict(log.odd),
            },
            "counts": balance.counts,
            "ledger": balance.table(),
            "wrong": [asdict(finding) for finding in balance.wrong],
            "unsettled": left,
            "clean": balance.clean and not left,
            "processes": processes,
            "schedule": storm.told,
        }

    def _say(self, line: str) -> None:
        print(line, flush=True)
