"""A run as it is kept and shown: JSON for machines, a table for people."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from bench.machine import RESULTS

COLUMNS: Final = ("missing", "doubled", "invented", "disordered", "unequal", "dead", "stopped", "late")


def write(result: dict[str, Any], now: datetime, folder: Path = RESULTS) -> Path:
    """The file of one run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"chaos-{result['seed']}-{now:%Y%m%dT%H%M%S}.json"
    file.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return file


def show(result: dict[str, Any], console: Console) -> None:
    """What was done, what was counted, what is wrong."""
    _faults(result, console)
    counts = Table(title="Counted", show_header=False)
    for name, number in (result["pushed"] | result["counts"]).items():
        if isinstance(number, int | float):
            counts.add_row(name.replace("_", " "), f"{number:,}")
    console.print(counts)
    ledger = Table(title="Ledger")
    ledger.add_column("stage")
    for column in COLUMNS:
        ledger.add_column(column, justify="right")
    for stage, row in result["ledger"].items():
        cells = [f"{row[column]:,}" if column in row else "–" for column in COLUMNS]
        ledger.add_row(stage, *cells, style="red" if any(row.values()) else None)
    console.print(ledger)
    for wrong in result["wrong"]:
        console.print(f"[red]{wrong['stage']} {wrong['column']} {wrong['what']}: {wrong['wrong']:,}[/red]")
        for first in wrong["first"]:
            console.print(f"  {first}", markup=False)
    _processes(result, console)
    if result["unsettled"]:
        console.print(f"[red]never came to rest: {result['unsettled']}[/red]")
    console.print("[green]The books balance.[/green]" if result["clean"] else "[red]The books do not balance.[/red]")


def _faults(result: dict[str, Any], console: Console) -> None:
    faults = Table(title=f"Faults, seed {result['seed']}, {result['seconds'] / 60:.1f} min, {result['kills']} SIGKILLs")
    faults.add_column("fault")
    faults.add_column("times", justify="right")
    for name, times in sorted(result["faults"].items()):
        faults.add_row(name, str(times))
    for name, reason in result["not_here"].items():
        faults.add_row(name, f"cannot be injected here: {reason}")
    console.print(faults)


def _processes(result: dict[str, Any], console: Console) -> None:
    table = Table(title="Processes, at the start and at the end")
    for column in ("process", "MiB", "descriptors", "connections"):
        table.add_column(column, justify="left" if column == "process" else "right")
    for name, end in result["processes"]["end"].items():
        start = result["processes"]["start"].get(name, {})
        pairs = [f"{start.get(key, '–')} → {end[key]}" for key in ("memory_mib", "descriptors", "connections")]
        table.add_row(name, *pairs)
    console.print(table)
