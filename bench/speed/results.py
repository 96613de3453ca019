"""What was measured, where and with what: as JSON to keep, as a table to read."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.machine import RESULTS, this_machine
from bench.speed.system import System

Results = dict[str, Any]
Row = tuple[str, str, str]


async def machine(system: System) -> dict[str, Any]:
    """Where the figures come from."""
    known = await asyncio.to_thread(this_machine)
    return known | {"postgres": await system.db.fetchval("SHOW server_version")}


def save(results: Results, file: Path) -> None:
    """Writes what was measured."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))


def newest() -> Path:
    """The last kept run."""
    return max(RESULTS.glob("speed-*.json"))


def show(results: Results) -> None:
    """Prints the table."""
    table = Table("measured", "figure", "beside", title="fengsui bench", title_justify="left")
    for row in rows(results):
        table.add_row(*row)
    Console(width=max(Console().width, 132)).print(table)


def rows(results: Results) -> Iterator[Row]:
    """The table's rows; what was not measured is not there."""
    for run in results.get("throughput", []):
        yield from _throughput(run, results)
    yield from _ours(results)
    yield from _beside(results)


def _ours(results: Results) -> Iterator[Row]:
    for load in results.get("latency", []):
        for stage in ("case", "delivered"):
            shown = ", ".join(f"{name} {value:,.0f} ms" for name, value in load[f"{stage}_ms"].items())
            yield f"push to {stage} at {load['offered']:,.0f}/s", shown, ""
    for run in results.get("readings", []):
        yield f"readings/s through the engine, {run['points']:,} points", _rate(run["rates"]["engine"]), ""
    for run in results.get("ledger", []):
        yield f"alarms/s to notification, {run['cases']:,} cases in the ledger", _rate(run["rates"]["notification"]), ""
    for run in results.get("replicas", []):
        yield f"lag drained to cases, {run['replicas']} replicas", _rate(run["rates"].get("cases")), ""
    if rest := results.get("rest_cpu_ms_per_s"):
        shown = ", ".join(f"{name} {cost:.0f}" for name, cost in rest.items())
        yield "CPU ms per second at rest", f"{sum(rest.values()):.0f}", shown
    for name, used in results.get("memory", {}).get("after", {}).items():
        yield f"memory of {name}", f"{used['pss']:,.0f} MiB", f"{results['memory']['idle'][name]['pss']:,.0f} at rest"


def _beside(results: Results) -> Iterator[Row]:
    for name, rate in results.get("limits", {}).items():
        yield f"limit: {name.replace('_', ' ')}", _rate(rate), ""
    for run in results.get("alertmanager", {}).get("runs", []):
        for stage in ("accepted", "delivered"):
            yield f"Alertmanager {stage}, {_pushed(run)}, {run['grouping']}", _rate(run["rates"][stage]), ""
    if rate := results.get("alerta", {}).get("rates", {}).get("kept"):
        yield "Alerta kept, one by one", _rate(rate), ""
    if paces := results.get("pace"):
        shown = "before " + ", ".join(f"{part} {pace:.1f}" for part, pace in paces.items())
        yield "million additions/s of one core", f"{min(paces.values()):.1f} to {max(paces.values()):.1f}", shown
    for name, reason in results.get("missing", {}).items():
        yield name, "not measured", reason


def _throughput(run: Results, results: Results) -> Iterator[Row]:
    for stage, rate in run["rates"].items():
        shown = [f"{ratio:,.2f} × {peer}" for peer, ratio in ratios(results, run, stage).items()]
        yield f"alarms/s {stage}, {_pushed(run)}", _rate(rate), "; ".join(shown)
    costs = run["cpu_s_per_1000"]["processes"]
    yield (
        f"CPU s per 1,000, {_pushed(run)}",
        f"{sum(costs.values()):.2f}",
        ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items()),
    )


def ratios(results: Results, run: Results, stage: str) -> dict[str, float]:
    """A stage of a run beside what a peer calls the same, and the limit below it."""
    rate = run["rates"].get(stage)
    if not rate:
        return {}
    beside: dict[str, float | None] = {}
    peer_stage = {"accepted": "accepted", "delivered": "delivered"}.get(stage)
    for other in results.get("alertmanager", {}).get("runs", []):
        if peer_stage and other["batch"] == run["batch"] and other["grouping"].startswith("each alarm"):
            beside["Alertmanager"] = other["rates"][peer_stage]
    if stage in ("case", "notification"):
        beside["Alerta"] = results.get("alerta", {}).get("rates", {}).get("kept")
    limits = results.get("limits", {})
    if stage == "accepted":
        beside["bare aiokafka"] = limits.get("aiokafka_produce")
    elif stage == "case":
        beside["bare unnest"] = limits.get("postgres_unnest")
    return {name: rate / other for name, other in beside.items() if other}


def _pushed(run: Results) -> str:
    return "one by one" if run["batch"] == 1 else f"batches of {run['batch']}"


def _rate(rate: float | None) -> str:
    return f"{rate:,.0f}" if rate else "not reached"
