"""`fengsui key create|list|revoke`: the keys by which enterprises push; a new one is shown once, alone."""

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.refusal import Refusal

AT_ONCE = 10_000

ONE_OF_TWO = "say for whom: --enterprise USCC, or --file FILE with many"
NOT_TEXT = "{file} is neither UTF-8 nor GB 18030"
NOT_CSV = "{file} cannot be read as CSV: {reason}"
NO_COLUMN = "{file} has no column uscc"
EMPTY = "{file} names no enterprise"

Enterprise = Annotated[str | None, typer.Option(help="Unified social credit code.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Keys of the enterprises (密钥).", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    app.add_typer(group, name="key")


def create(
    enterprise: Enterprise = None,
    file: Annotated[Path | None, typer.Option(help="One credit code a line, or a CSV with a column uscc.")] = None,
    name: Annotated[str | None, typer.Option(help="What the key is called.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Print one key, alone; or with --file a line `uscc,key` for each enterprise."""
    from deploy import client  # noqa: PLC0415

    called = {"name": name} if name is not None else {}
    if (enterprise is None) == (file is None):
        raise Refusal(ONE_OF_TWO)
    if file is None:
        body = {"enterprise": enterprise, **called}
        typer.echo(client.run(home, url, token, lambda stack: stack.post("ingest", "/v1/keys", body))["key"])
        return
    codes = credit_codes(file)

    async def make(stack: client.Client) -> None:
        for first in range(0, len(codes), AT_ONCE):
            wanted = {"enterprises": codes[first : first + AT_ONCE], **called}
            for made in (await stack.post("ingest", "/v1/keys/batch", wanted))["items"]:
                typer.echo(f"{made['enterprise']},{made['key']}")

    client.run(home, url, token, make)


def list_keys(enterprise: Enterprise = None, home: Home = DEFAULT_HOME, url: Url = None, token: Token = None) -> None:
    """Show all keys by their prefix; their secrets are nowhere."""
    from deploy import client, terminal  # noqa: PLC0415

    query = {"enterprise": enterprise} if enterprise else {}

    async def ask(stack: client.Client) -> list[client.Answer]:
        return [key async for key in stack.pages("ingest", "/v1/keys", **query)]

    columns = ("prefix", "uscc", "name", "created_at", "created_by", "revoked_at", "revoked_by")
    keys = client.run(home, url, token, ask)
    terminal.table(columns, [[key.get(column) for column in columns] for key in keys])


def revoke(
    prefix: Annotated[str, typer.Argument(help="As `key list` shows it.")],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """End a key at every door, at once."""
    from deploy import client  # noqa: PLC0415

    path = f"/v1/keys/{client.quoted(prefix)}/revoke"
    client.run(home, url, token, lambda stack: stack.post("ingest", path, {}))
    typer.echo(f"key {prefix} is revoked")


def credit_codes(file: Path) -> list[str]:
    """The enterprises that a file names."""
    try:
        lines = list(csv.reader(io.StringIO(_text(file), newline="")))
    except csv.Error as error:
        raise Refusal(NOT_CSV.format(file=file, reason=error)) from error
    rows = [[cell.strip() for cell in line] for line in lines if any(cell.strip() for cell in line)]
    place = 0
    if rows and "uscc" in (headings := [cell.lower() for cell in rows[0]]):
        place, rows = headings.index("uscc"), rows[1:]
    elif any(len(row) > 1 for row in rows):
        raise Refusal(NO_COLUMN.format(file=file))
    codes = [row[place] for row in rows if len(row) > place and row[place]]
    if not codes:
        raise Refusal(EMPTY.format(file=file))
    return codes


def _text(file: Path) -> str:
    """A registry file's text, which may be in either of two encodings."""
    content = file.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(NOT_TEXT.format(file=file))
