"""`fengsui offsets repair`: partitions that stopped for their log, with what each way on means, and the way on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.refusal import Refusal

if TYPE_CHECKING:
    from deploy.client import Client

Item = dict[str, Any]

WELL = "no partition is stopped"
CHOOSE = (
    "Go on with --from beginning, end, an OFFSET or a time. What is read again has its effect once, for an id is taken "
    "in once; what is skipped is lost for that service."
)
LOST = (
    "A log that was made again or restored may lack what services had sent. What stands in their outboxes, seven days "
    "long, is said again by --resend TIME. What doors sent is in no outbox: restart ingest, so that its door forgets "
    "what it took for known, and let the enterprises push again."
)
ONE_OFFSET = "an offset is one partition's: name it by --service, --topic and --partition"
NO_POSITION = "{name} has another number of partitions than it is declared with: no position helps"
NOBODY = "no stopped partition is meant by these options"
NOT_NOW = "{service} does not know now what the log of {topic} holds: {unknown}"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Positions in the logs on Kafka (位点).", no_args_is_help=True)
    group.command("repair")(repair)
    group.callback()(lambda: None)  # else the only command would stand without its name
    app.add_typer(group, name="offsets")


def repair(
    service: Annotated[str | None, typer.Option(help="Only this service's partitions.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only this topic's.")] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="Only this one.")] = None,
    where: Annotated[str | None, typer.Option("--from", help="beginning, end, an OFFSET or a time (RFC 3339).")] = None,
    resend: Annotated[
        str | None, typer.Option(help="Say again what was sent since this time (RFC 3339) and is kept in outboxes.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Say what is wrong with stopped partitions, and continue them from where you say; exits 1 while any is stopped."""
    from deploy import client, terminal  # noqa: PLC0415 (only what a command needs is loaded)

    services = [service] if service else list(client.HEARERS)

    listed, refusals = client.run(home, url, token, lambda stack: stack.of_each(services, "/v1/partitions"))
    stopped = [
        each
        for each in listed
        if each["stopped"] and topic in (None, each["topic"]) and partition in (None, each["partition"])
    ]
    if not stopped:
        client.complete(refusals)
    _list(stopped)
    if where is not None and where.isdecimal():
        client.complete(refusals)  # an offset is one partition's, and there may be others
    if where is not None:
        planned = client.run(home, url, token, lambda stack: _repaired(stack, _movable(stopped, where), where, True))
        terminal.table(
            ("service", "partition", "goes on at", "read again", "skipped"),
            [(each["service"], _name(each), each["offset"], each["again"], each["skipped"]) for each in planned],
        )
        if any(each["skipped"] for each in planned):
            typer.echo("What is skipped is lost for that service; its number is kept among the gaps.")
        if not yes:
            typer.confirm("Move these positions?", abort=True)
        for each in client.run(home, url, token, lambda stack: _repaired(stack, stopped, where, False)):
            typer.echo(f"{each['service']} goes on with {_name(each)} at {each['offset']}")
    if resend is not None:
        answering = [each for each in services if each not in refusals]
        for name, said, count in client.run(
            home, url, token, lambda stack: _said_again(stack, answering, topic, resend)
        ):
            typer.echo(f"{name} says {count} events of {said} again")
    client.complete(refusals)
    raise typer.Exit(1 if stopped and where is None else 0)


def _list(stopped: Sequence[Item]) -> None:
    from deploy import terminal  # noqa: PLC0415

    if not stopped:
        typer.echo(WELL)
        return
    rows = [
        (each["service"], _name(each), each["next"], _held(each), *_ways(each), each["stopped"]) for each in stopped
    ]
    columns = ("service", "partition", "position", "log holds", "from beginning", "from end", "why it stopped")
    terminal.table(columns, rows)
    typer.echo(CHOOSE)
    if any(each["fault"] in ("another_log", "shorter", "other_record") for each in stopped):
        typer.echo(LOST)


def _held(each: Item) -> str:
    return f"{each['log']['first']} to {each['log']['end']}" if each["log"] else f"unknown: {each['unknown']}"


def _ways(each: Item) -> tuple[str, str]:
    ways = each.get("choices")
    if not ways:
        return "-", "-"
    said = {name: f"{way['again']} again, {way['skipped']} skipped" for name, way in ways.items()}
    return said["beginning"], said["end"]


def _movable(stopped: Sequence[Item], where: str) -> Sequence[Item]:
    """What a choice is for; raises a sentence where it cannot be made."""
    if not stopped:
        raise Refusal(NOBODY)
    for each in stopped:
        if not each["log"]:
            raise Refusal(NOT_NOW.format(**each))
        if each["fault"] == "partitions":
            raise Refusal(NO_POSITION.format(name=each["topic"]))
    if where.isdecimal() and len(stopped) > 1:
        raise Refusal(ONE_OFFSET)
    return stopped


async def _repaired(stack: "Client", stopped: Sequence[Item], where: str, dry_run: bool) -> list[Item]:
    from deploy import client  # noqa: PLC0415

    done = []
    for each in stopped:
        path = (
            f"/v1/partitions/{client.quoted(each['topic'])}/{each['partition']}/repair?dry_run={str(dry_run).lower()}"
        )
        body = {"from": int(where) if where.isdecimal() else where, "next": each["next"]}
        done.append(await stack.post(each["service"], path, body) | {"service": each["service"]})
    return done


async def _said_again(
    stack: "Client", services: Sequence[str], topic: str | None, since: str
) -> list[tuple[str, str, int]]:
    from shared.topics import TOPICS  # noqa: PLC0415

    told = []
    for service in services:
        for name in [topic] if topic else [n for n, t in TOPICS.items() if t.owner in (service, None)]:
            count, body = 0, {"topic": name, "since": since}
            while (answer := await stack.post(service, "/v1/outbox/say-again", body))["marked"]:
                count, body = count + answer["marked"], body | {"until": answer["until"]}
            told.append((service, name, count))
    return told


def _name(each: Item) -> str:
    return f"{each['topic']}/{each['partition']}"
