"""`python -m bench.chaos.proof`: removes each rule of the delivery contract in turn; the ledger must see it."""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from bench.chaos.rules import RULES, Rule, copied, named
from bench.chaos.run import Order, Run
from bench.machine import RESULTS, this_machine

KILLS: Final = 8
"""So often at least a rule's seam is hit, however slow the machine is."""


def main(
    rules: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(r.name for r in RULES)}.")] = None,
    seed: Annotated[int, typer.Option()] = 7,
    minutes: Annotated[float, typer.Option(help="Length of the storm, for each rule.")] = 0.6,
    rate: Annotated[float, typer.Option(help="Events a second.")] = 120.0,
) -> None:
    """Run without each rule, at its seam; exits 1 when one was not missed by the ledger."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    found = []
    for rule in named(rules or ()):
        console.rule(rule.name)
        try:
            found.append(asyncio.run(_without(rule, seed, minutes, rate)))
        except (RuntimeError, OSError, TimeoutError) as error:
            found.append({"rule": rule.name, "found": {}, "seconds": 0, "error": repr(error)})
        console.print(found[-1]["found"] or "[red]not found[/red]", found[-1]["seconds"], "s")
        write(found)
    table = Table("rule removed", "found by", "wrong rows", title="What the ledger sees")
    for row in found:
        table.add_row(row["rule"], ", ".join(row["found"]) or "not found", f"{sum(row['found'].values()):,}")
    console.print(table)
    raise typer.Exit(0 if all(row["found"] for row in found) else 1)


async def _without(rule: Rule, seed: int, minutes: float, rate: float) -> dict[str, Any]:
    began = time.monotonic()
    deadly = "kill" in rule.points or "kill" in rule.faults
    order = Order(
        minutes=minutes,
        seed=seed,
        rate=rate,
        kills=KILLS if deadly else 0,
        enterprises=4,
        faults=rule.faults,
        quiet=rule.faults == ("none",),
        pause_s=2.5,
        longest_s=rule.longest_s,
        aim=rule.aim,
        points=rule.points,
        replicas=rule.replicas,
        settle_s=60.0,
        timers=False,
    )
    with tempfile.TemporaryDirectory(prefix="fc-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        copied(Path(folder), rule)
        result = await Run(order, Path(folder)).carry_out()
    wrong = {f"{each['stage']} {each['column']} {each['what']}": each["wrong"] for each in result["wrong"]}
    return {
        "rule": rule.name,
        "sentence": rule.sentence,
        "expected": rule.finds,
        "found": {name: count for name, count in wrong.items() if name in rule.finds},
        "also": {name: count for name, count in wrong.items() if name not in rule.finds},
        "faults": result["faults"],
        "kills": result["kills"],
        "events": result["pushed"]["events"],
        "seed": seed,
        "seconds": round(time.monotonic() - began),
    }


def write(found: list[dict[str, Any]]) -> None:
    """What is known so far, for a run of many rules takes long; what the day's file says of other rules stays."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"chaos-rules-{datetime.now(UTC):%Y%m%d}.json"  # noqa: TID251 (the file's name)
    before = orjson.loads(file.read_bytes())["rules"] if file.exists() else []
    known = {row["rule"]: row for row in (*before, *found)}
    content = {"machine": this_machine(), "rules": [known[rule.name] for rule in RULES if rule.name in known]}
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    typer.run(main)
