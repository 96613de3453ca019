"""`make bench`: measures the platform on a stack of its own, beside its limits and its peers."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench.machine import RESULTS
from bench.speed import alerta, alertmanager, latency, ledger, limits, readings, replicas, results, throughput
from bench.speed.load import Enterprise
from bench.speed.province import emptied, settle_in
from bench.speed.scale import FULL, QUICK, Scale
from bench.speed.system import Failed, System, running
from bench.speed.usage import at_rest, memory, pace

ALL: Final = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "limits", "peers")
OF_A_THROUGHPUT: Final = frozenset("abcdh")  # one push goes through all of it; memory is looked at behind it
WARM: Final = 2_000
REST_S: Final = 10
IDS: Final = r'"event":\{"source":"//bench/[^"]*","id":"([^"]+)"'

Part = Callable[[], Awaitable[Any]]


def main(
    only: Annotated[str, typer.Option(help=f"some of {','.join(ALL)}")] = ",".join(ALL),
    quick: Annotated[bool, typer.Option(help="a tenth of it, to see that it runs")] = False,
    keep: Annotated[bool, typer.Option(help="leave the home with its logs")] = False,
    out: Annotated[Path | None, typer.Option(help="where the JSON goes; a whole run goes to bench/results")] = None,
) -> None:
    """Measures, prints a table and writes JSON."""
    wanted = frozenset(only.split(","))
    if unknown := wanted - set(ALL):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))} is none of {','.join(ALL)}")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every partition that has no leader yet
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: nothing that was started stays
    now = datetime.fromtimestamp(time.time(), UTC)
    try:
        found = asyncio.run(measure(wanted, QUICK if quick else FULL, now, keep))
    except Failed as failed:
        print(f"fengsui: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    results.show(found)
    if out is None and not quick and wanted == set(ALL):
        out = RESULTS / f"speed-{now:%Y-%m-%d}.json"
    if out:
        results.save(found, out)
        print(f"written to {out}")


async def measure(wanted: Set[str], scale: Scale, now: datetime, keep: bool) -> dict[str, Any]:
    """Everything that is wanted, on one stack, one after the other."""
    cache = Path(os.environ.get("FENGSUI_CACHE", Path.home() / ".cache" / "fengsui")) / "bench"
    async with running(keep) as system:
        found: dict[str, Any] = {"at": now.isoformat(), "machine": await results.machine(system)}
        system.receive("webhook", system.webhook_port, IDS)
        pushers = await settle_in(system, now)
        await throughput.alarms(system, pushers, "warm", WARM, throughput.BATCH)
        for name, part in _parts(system, pushers, scale, cache, found).items():
            if name in wanted or (name == "throughput" and wanted & OF_A_THROUGHPUT):
                await emptied(system)
                print(f"{time.monotonic() - _BEGAN:6.0f} s  {name}", flush=True)
                found.setdefault("pace", {})[name] = pace()
                try:
                    found |= await part()
                except Failed as failed:
                    found.setdefault("missing", {})[name] = str(failed)
                    print(f"          {failed}", flush=True)
        found["seconds"] = round(time.monotonic() - _BEGAN)
    return found


_BEGAN: Final = time.monotonic()


def _parts(
    system: System, pushers: list[Enterprise], scale: Scale, cache: Path, found: dict[str, Any]
) -> dict[str, Part]:
    async def through() -> Any:
        idle, rest = memory(system), await at_rest(system, REST_S)
        runs = [await throughput.alarms(system, pushers, "batched", scale.batched, throughput.BATCH)]
        await emptied(system)
        runs.append(await throughput.alarms(system, pushers, "single", scale.single, 1))
        return {"throughput": runs, "memory": {"idle": idle, "after": memory(system)}, "rest_cpu_ms_per_s": rest}

    async def late() -> Any:
        loads = [float(load) for load in scale.loads]
        if "throughput" in found:
            loads.append(round(0.8 * min(rate for rate in found["throughput"][1]["rates"].values() if rate)))
        runs = []
        for load in sorted(loads):
            await emptied(system)
            runs.append(await latency.at_load(system, pushers, f"load{load:.0f}", load, scale.seconds))
        return {"latency": runs}

    async def read() -> Any:
        few, many = scale.frames
        return {
            "readings": [
                await readings.over(system, pushers, 1_000, few),
                await readings.over(system, pushers, 100_000, many),
            ]
        }

    async def grow() -> Any:
        return {"ledger": await ledger.growing(system, pushers, scale.ledgers, scale.onto_ledger)}

    async def drain() -> Any:
        return {"replicas": await replicas.draining(system, pushers, scale.replicas, scale.lag)}

    async def bare() -> Any:
        return {"limits": await limits.bare(system, replicas.on_the_bus("bare", scale.records, pushers))}

    async def peers() -> Any:
        told: dict[str, Any] = {}
        for name, measured in (
            ("alertmanager", alertmanager.measured(system, scale.alertmanager)),
            ("alerta", alerta.measured(system, cache, scale.alerta)),
        ):
            try:
                told[name] = await measured
            except Failed as failed:
                found.setdefault("missing", {})[name] = str(failed)
                print(f"          {failed}", flush=True)
        return told

    return {  # what is compared stands next to each other
        "throughput": through,
        "peers": peers,
        "limits": bare,
        "e": late,
        "f": read,
        "i": drain,
        "g": grow,
    }


if __name__ == "__main__":
    typer.run(main)
