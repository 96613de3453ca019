"""`fengsui push`: a file of events or readings goes through the real door, as an enterprise's own system sends it."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer


def register(app: typer.Typer) -> None:
    app.command()(push)


def push(
    file: Annotated[Path, typer.Argument(help="CloudEvents, one a line, or CSV: point,time,value[,quality].")],
    url: Annotated[str, typer.Option("--url", help="Of the ingest door: http://HOST:PORT, port base + 1.")],
    key: Annotated[str, typer.Option("--key", envvar="FENGSUI_KEY", help="The enterprise's key.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Have everything checked and nothing taken.")] = False,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV that is not UTF-8, such as gb18030.")] = None,
    patience: Annotated[float, typer.Option(min=0, help="Seconds that the door may stay away in between.")] = 300,
) -> None:
    """Push a file; prints the final count, and exits 0 only when nothing was rejected."""
    from deploy import pushfile, terminal  # noqa: PLC0415 (only what a command needs is loaded)
    from deploy.pushing import SHOWN, Door  # noqa: PLC0415

    with pushfile.opened(file, encoding) as source:
        say = partial(typer.echo, err=True)
        door = Door(url, key, source.form, dry_run=dry_run, patience=patience, say=say)
        tally = door.tally

        async def work() -> None:
            with terminal.progress(file.name, source.size) as show:
                async with door:
                    for batch in source.batches():
                        if isinstance(batch, pushfile.Rejection):
                            tally.reject(batch)
                        else:
                            await door.push(batch)
                        show(source.position(), f"{tally.accepted} accepted, {tally.rejected} rejected")

        try:
            asyncio.run(work())
        finally:
            if tally.first:
                rows = sorted((each.line, each.code, each.pointer or "", each.detail) for each in tally.first)
                terminal.table(("line", "code", "pointer", "detail"), rows, err=True)
            if tally.rejected > SHOWN:
                typer.echo(f"and {tally.rejected - SHOWN} more: {tally.rejected} rejected in all", err=True)
            typer.echo(orjson.dumps(tally.counts()).decode())
    raise typer.Exit(1 if tally.rejected else 0)
