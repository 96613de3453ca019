"""The faults by name: each chooses its victim by chance, hurts it, and heals it whatever happens."""

import asyncio
from dataclasses import dataclass
from typing import Final

from bench.chaos.blow import Blow, Inject, NotHere
from bench.chaos.on_servers import broker_away, cut_backends, disk_full, postgres_away, stop_backend, stop_broker
from bench.chaos.on_services import (
    clock_step,
    few_descriptors,
    kill,
    kill_at_point,
    rebalance_storm,
    stall,
    stop_service,
)
from bench.chaos.proxy import Weather


@dataclass(frozen=True)
class Fault:
    """A kind of fault; of one group one at a time. Its answer says what was done to whom."""

    name: str
    group: str
    weight: int
    inject: Inject
    mild: bool = False
    """Fit for a run of minutes."""


def network(weather: Weather) -> Inject:
    """A bad network between one service and PostgreSQL, or between all and Kafka."""

    async def inject(blow: Blow) -> str:
        if not blow.platform.proxies:
            raise NotHere("this run has no proxies")
        proxy = blow.chance.choice([proxy for _, proxy in sorted(blow.platform.proxies.items())])
        pause = blow.pause_s() if weather is not Weather.CUT else blow.chance.choice((0.5, 3.0, 10.0))
        delay = blow.chance.choice((0.02, 0.1, 0.4))
        try:
            proxy.turn(weather, delay)
            await asyncio.sleep(pause)
        finally:
            proxy.turn(Weather.FAIR)
        return f"{proxy.name} for {pause:.1f} s"

    return inject


FAULTS: Final = {
    fault.name: fault
    for fault in (
        Fault("kill", "kill", 12, kill, mild=True),
        Fault("point", "point", 10, kill_at_point, mild=True),
        Fault("stop", "service", 4, stop_service, mild=True),
        Fault("stop_broker", "server", 1, stop_broker),
        Fault("stop_backend", "server", 1, stop_backend, mild=True),
        Fault("cut_backends", "server", 2, cut_backends, mild=True),
        Fault("broker", "server", 1, broker_away),
        Fault("postgres", "server", 1, postgres_away, mild=True),
        Fault("rebalance", "storm", 1, rebalance_storm, mild=True),
        Fault("cut", "network", 1, network(Weather.CUT), mild=True),
        Fault("slow", "network", 1, network(Weather.SLOW), mild=True),
        Fault("silent", "network", 1, network(Weather.SILENT)),
        Fault("half_open", "network", 1, network(Weather.HALF_OPEN)),
        Fault("clock", "service", 1, clock_step),
        Fault("disk", "server", 1, disk_full),
        Fault("stall", "service", 1, stall, mild=True),
        Fault("descriptors", "service", 1, few_descriptors, mild=True),
    )
}
