"""`fengsui dead`: records that no service could take, seen, corrected, replayed or given up by a person."""

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.refusal import Refusal

STATES = "there is no state {state!r}; there are waiting, replayed and discarded"
NOT_TEXT = "{file} is not in UTF-8, as every record of ours is"

Service = Annotated[str, typer.Argument(help="ingest, hazards, notify or reporting.")]
Letter = Annotated[int, typer.Argument(help="As `dead list` shows it.", metavar="ID")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Dead letters (死信): records that no service could take.", no_args_is_help=True)
    group.command("list")(list_dead)
    group.command("show")(show)
    group.command("replay")(replay)
    group.command("discard")(discard)
    group.command("resume")(resume)
    app.add_typer(group, name="dead")


def list_dead(
    service: Annotated[str | None, typer.Option(help="Only this service's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only waiting, replayed or discarded ones.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """List dead letters of all services, oldest first, and the partitions that wait for a person."""
    from deploy import client, terminal  # noqa: PLC0415 (only what a command needs is loaded)

    if state not in (None, "waiting", "replayed", "discarded"):
        raise Refusal(STATES.format(state=state))
    query = {"limit": "500"} | ({"state": state} if state else {})
    columns = ("service", "id", "topic", "partition", "offset", "at", "state", "reason", "detail")

    services = [service] if service else list(client.HEARERS)

    async def ask(stack: client.Client) -> tuple[client.Listed, client.Listed]:
        return await asyncio.gather(
            stack.of_each(services, "/v1/dead-letters", **query), stack.of_each(services, "/v1/partitions/stopped")
        )

    (letters, refusals), (stopped, others) = client.run(home, url, token, ask)
    if as_json:
        for letter in letters:
            typer.echo(orjson.dumps(letter).decode())
    else:
        terminal.table(columns, [[letter.get(column) for column in columns] for letter in letters])
        for each in stopped:
            how = f"fengsui dead resume {each['service']} {each['topic']} {each['partition']}"
            if each.get("fault") not in (None, "refused"):
                how = f"fengsui offsets repair --service {each['service']} --topic {each['topic']}"
            typer.echo(terminal.plain(f"{each['topic']}/{each['partition']} is stopped: {each['stopped']} (`{how}`)"))
    client.complete(refusals | others)


def show(service: Service, letter: Letter, home: Home = DEFAULT_HOME, url: Url = None, token: Token = None) -> None:
    """Show one dead letter whole, its payload included, as JSON."""
    from deploy import client  # noqa: PLC0415

    found = client.run(home, url, token, lambda stack: stack.get(service, f"/v1/dead-letters/{letter}"))
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


def replay(
    service: Service,
    letter: Letter,
    payload: Annotated[Path | None, typer.Option(help="A corrected record, instead of the one that is kept.")] = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send a dead letter again under its old id: what has its effect already has no second one."""
    body: dict[str, str] = {"note": note} if note else {}
    if payload is not None:
        try:
            body["payload"] = payload.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise Refusal(NOT_TEXT.format(file=payload)) from error
    _resolve(service, letter, "replay", body, home, url, token)


def discard(
    service: Service,
    letter: Letter,
    note: Annotated[str, typer.Option(help="Why nobody needs it.")],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Give a dead letter up."""
    _resolve(service, letter, "discard", {"note": note}, home, url, token)


def resume(
    service: Service,
    topic: Annotated[str, typer.Argument()],
    partition: Annotated[int, typer.Argument()],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let a partition go on that was stopped because too many of its records were refused."""
    from deploy import client  # noqa: PLC0415

    path = f"/v1/partitions/{client.quoted(topic)}/{partition}/resume"
    client.run(home, url, token, lambda stack: stack.post(service, path, {}))
    typer.echo(f"{service} goes on with {topic}/{partition}")


def _resolve(
    service: str, letter: int, action: str, body: dict[str, str], home: Path, url: str | None, token: str | None
) -> None:
    from deploy import client  # noqa: PLC0415

    path = f"/v1/dead-letters/{letter}/{action}"
    answer = client.run(home, url, token, lambda stack: stack.post(service, path, body))
    typer.echo(f"dead letter {letter} of {service} is {answer['state']}")
