"""`fengsui enterprise|point|contact|roster import`: the registry in bulk, whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.refusal import Refusal

File = Annotated[Path, typer.Argument(help="CSV with a header row, UTF-8 or GB 18030.")]
Encoding = Annotated[str | None, typer.Option(help="How the file is encoded, such as gbk, where it is not recognised.")]

# name, service, path, help
IMPORTS = (
    ("enterprise", "ingest", "/v1/enterprises/import", "The enterprises (企业)."),
    ("point", "ingest", "/v1/points/import", "Their monitoring points (监测点)."),
    ("contact", "notify", "/v1/contacts/import", "Who can be told (联系人)."),
    ("roster", "notify", "/v1/rosters/import", "Who is on duty when (值班表)."),
)


def register(app: typer.Typer) -> None:
    for name, service, path, meaning in IMPORTS:
        group = typer.Typer(help=meaning, no_args_is_help=True)
        group.command("import")(_import(service, path))
        app.add_typer(group, name=name)


def _import(service: str, path: str) -> Callable[..., None]:
    def take(
        file: File,
        encoding: Encoding = None,
        home: Home = DEFAULT_HOME,
        url: Url = None,
        token: Token = None,
    ) -> None:
        """Register what the file says; the same file again changes nothing."""
        from deploy import client, terminal  # noqa: PLC0415 (only what a command needs is loaded)

        body = in_utf8(file, encoding) if encoding else file.read_bytes()
        try:
            answer = client.run(home, url, token, lambda stack: stack.post(service, path, body, patience=300))
        except client.Refused as refused:
            if faults := refused.problem.get("errors"):
                columns = ("row", "column", "code", "detail")
                terminal.table(columns, [[fault.get(name) for name in columns] for fault in faults], err=True)
            raise
        typer.echo(counts(answer))
        for made in answer.get("secrets", []):
            typer.echo(f"{made['contact']},{made['webhook_secret']}")

    return take


def in_utf8(file: Path, encoding: str) -> bytes:
    """The file's text in the encoding that every door takes."""
    try:
        return file.read_bytes().decode(encoding).encode()
    except LookupError as error:
        raise Refusal(f"{encoding!r} is no encoding that is known here; gb18030 and utf-8 are") from error
    except UnicodeError as error:
        raise Refusal(f"{file} is not in the encoding {encoding}: {error}") from error


def counts(answer: dict[str, Any]) -> str:
    """The answer's figures as a person reads them."""
    return ", ".join(f"{figure} {name}" for name, figure in answer.items() if isinstance(figure, int))
