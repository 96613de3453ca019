"""`fengsui cases export`: the ledger as a file, written as it arrives, whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.refusal import Refusal

if TYPE_CHECKING:
    from deploy.client import Client

FORMATS = ("jsonl", "csv", "xlsx")
PIECE = 256 * 1024

NO_FORMAT = "there is no format {form!r}; there are jsonl, csv and xlsx"
NOT_HERE = "an xlsx file is nothing for a terminal: say --output FILE"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The ledger (台账).", no_args_is_help=True)
    group.command("export")(export)
    app.add_typer(group, name="cases")


def export(
    form: Annotated[str, typer.Option("--format", help="jsonl, csv or xlsx.")] = "jsonl",
    output: Annotated[Path | None, typer.Option(help="A file instead of standard output.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Export every case in sight; as JSON lines with its whole timeline."""
    from deploy import client  # noqa: PLC0415 (only what a command needs is loaded)

    if form not in FORMATS:
        raise Refusal(NO_FORMAT.format(form=form))
    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise Refusal(NOT_HERE)

    async def work(stack: "Client") -> None:
        query = {"format": form}
        async with stack.asked("hazards", "GET", "/v1/cases/export", patience=None, params=query) as response:
            with _written(output) as out:
                async for piece in response.content.iter_chunked(PIECE):
                    out.write(piece)

    client.run(home, url, token, work)


@contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that takes its place once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    half = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with half.open("wb") as stream:
            yield stream
        half.replace(output)
    finally:
        half.unlink(missing_ok=True)
