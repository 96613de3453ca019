"""Carries out the schedule: at most one fault of a group at a time, each written down with what it did."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import psutil

from bench.chaos.blow import Blow, NotHere
from bench.chaos.faults import FAULTS, Fault
from bench.chaos.platform import Platform
from bench.chaos.schedule import Planned, plan

AT_ONCE: Final = 3


def weights(names: Sequence[str], mild: bool) -> dict[str, int]:
    """The faults wanted, all where none is named; a mild run leaves out those that take a minute to heal."""
    return {
        name: fault.weight for name, fault in FAULTS.items() if (name in names if names else fault.mild or not mild)
    }


@dataclass
class Storm:
    """Faults in the order of the schedule until cancelled; then all is healed."""

    platform: Platform
    seed: int
    kinds: Mapping[str, int]
    mean_pause_s: float
    longest_s: float
    aim: str = ""
    say: Callable[[str], None] = print
    told: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    not_here: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as blows:
            for planned in plan(self.seed, self.kinds, self.mean_pause_s):
                await asyncio.sleep(planned.pause_s)
                await self._room.acquire()
                blows.create_task(self._strike(planned, FAULTS[planned.name]))

    async def _strike(self, planned: Planned, fault: Fault) -> None:
        try:
            async with self._locks[fault.group]:
                await self._inject(planned, fault)
        finally:
            self._room.release()

    async def _inject(self, planned: Planned, fault: Fault) -> None:
        at = round(time.monotonic() - self.began, 1)
        entry: dict[str, Any] = {"number": planned.number, "fault": fault.name, "at_s": at}
        self.told.append(entry)
        try:
            what = await fault.inject(Blow(self.platform, planned.chance(), self.longest_s, self.aim))
        except NotHere as reason:
            self.not_here[fault.name] = what = str(reason)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, psutil.Error, IndexError, KeyError) as error:
            what = f"not injected: {type(error).__name__}: {error}"  # its victim was away because of another fault
        except asyncio.CancelledError:
            entry["what"] = "healed early, for the run ended"
            raise
        else:
            self.counts[fault.name] += 1
        entry |= {"what": what, "lasted_s": round(time.monotonic() - self.began - at, 1)}
        self.say(f"  {fault.name}: {what}")
