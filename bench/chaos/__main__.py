"""`python -m bench.chaos`: hurts a stack under load by a seed, audits it, and exits 1 when anything is wrong."""

import asyncio
import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.chaos import report
from bench.chaos.disk import enter, mount, unmount
from bench.chaos.faults import FAULTS
from bench.chaos.rules import copied, named
from bench.chaos.run import Order, Run


def main(
    minutes: Annotated[float, typer.Option(help="Least length of the storm.")] = 3.0,
    seed: Annotated[int | None, typer.Option(help="Repeats a run; drawn and printed where it is not given.")] = None,
    rate: Annotated[float, typer.Option(help="Events a second that all pushers offer together.")] = 200.0,
    events: Annotated[int, typer.Option(help="Least number of acknowledged events.")] = 0,
    kills: Annotated[int, typer.Option(help="Least number of SIGKILLs.")] = 0,
    faults: Annotated[str, typer.Option(help=f"Only these, with commas: {', '.join(FAULTS)}; or none.")] = "",
    pause: Annotated[float, typer.Option(help="Mean seconds between two faults.")] = 6.0,
    longest: Annotated[float, typer.Option(help="Most seconds that a fault lasts.")] = 60.0,
    mild: Annotated[bool, typer.Option("--mild", help="Leaves out what takes a minute to heal.")] = False,
    aim: Annotated[str, typer.Option(help="Only at this service or fault point.")] = "",
    without: Annotated[str, typer.Option(help="Runs a copy of the code that lacks a rule (bench.chaos.rules).")] = "",
    disk: Annotated[int, typer.Option(help="GiB of a small disk (tmpfs) for the stack, so that it can be filled.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leaves the stack's home in place, to be looked into.")] = False,
) -> None:
    """Hurt a stack under load, then audit it to the last event."""
    rule = next(iter(named([without])), None) if without else None
    chosen = tuple(filter(None, faults.split(",")))
    if unknown := set(chosen) - set(FAULTS) - {"none"}:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there is {', '.join(FAULTS)}")
    seed = random.randrange(1_000_000) if seed is None else seed
    order = Order(
        minutes, seed, rate, events, kills, faults=chosen, mild=mild, quiet=chosen == ("none",), pause_s=pause,
        longest_s=longest, aim=aim,
    )  # fmt: skip
    if disk and (refusal := enter()):
        print(
            f"no disk of its own can be made here ({refusal}): a limit on the size of files stands in for a full disk"
        )
        disk = 0
    folder = Path(tempfile.mkdtemp(prefix="fc-"))
    folder.chmod(0o755)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(f"seed {seed}, in {folder}")
    try:
        if disk:
            mount(folder / "home", disk)
        copied(folder, rule)
        result = asyncio.run(Run(order, folder, small_disk=disk > 0).carry_out())
    finally:
        if disk:
            unmount(folder / "home")
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    report.show(result, console)
    console.print(f"written to {report.write(result, datetime.now(UTC))}")  # noqa: TID251 (the file's name)
    raise typer.Exit(0 if result["clean"] else 1)


if __name__ == "__main__":
    typer.run(main)
