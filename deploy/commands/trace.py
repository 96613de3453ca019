"""`fengsui trace`: what became of one pushed event, stage by stage, with times and reasons."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url

if TYPE_CHECKING:
    from deploy.client import Client

WINDOWS = (timedelta(seconds=10), timedelta(minutes=10))
"""How long before it was taken in the record of an event is looked for, one after the other."""
AFTER = timedelta(seconds=5)  # the broker's clock may be ahead of the database's
PATIENCE_S = 40

UNKNOWN = """\
unknown: no service holds it, and among the {searched} records that the doors sent since {since} it is not.
Names are compared byte by byte. Only what a door answered with 202 was accepted; after a 503, or no answer, nobody
knows: push the same event again, which is safe."""

CUT_SHORT = "There were more records than could be looked through: ask again with a smaller --since."


def register(app: typer.Typer) -> None:
    app.command()(trace)


def trace(
    source: Annotated[str, typer.Argument(help="As the enterprise named it.")],
    pushed: Annotated[str, typer.Argument(help="As the enterprise named it.", metavar="ID")],
    enterprise: Annotated[str | None, typer.Option(help="Where two enterprises used the same names.")] = None,
    since: Annotated[float, typer.Option(min=0, help="Hours in which an event is looked for that nobody holds.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The way as one JSON object.")] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Tell the whole way of one pushed event; exits 0 when all of it is there, 1 when any is unknown or missing."""
    from deploy import client, terminal, way  # noqa: PLC0415 (only what a command needs is loaded)
    from shared.events.event import event_id  # noqa: PLC0415

    earliest = datetime.now(UTC) - timedelta(hours=since)  # noqa: TID251 (a command begins here)

    async def ask(stack: client.Client) -> tuple[dict[str, client.Answer], client.Answer]:
        found = await asyncio.gather(
            *(stack.get(each, "/v1/trace", source=source, id=pushed) for each in client.HEARERS)
        )
        answers = dict(zip(client.HEARERS, found, strict=True))
        return answers, await searched(stack, answers, source, pushed, earliest, named)

    named = str(event_id(enterprise.upper(), source, pushed)) if enterprise else None
    answers, search = client.run(home, url, token, ask)
    event = named or way.event_of(answers, search["items"])
    known = event is not None and _holds(event, answers, search)
    lines = way.way_of(event, answers, search) if known and event else []
    if as_json:
        said = {"source": source, "id": pushed, "event": event if known else None, "way": lines}
        typer.echo(orjson.dumps(said | {"whole": known and way.whole(lines)}, option=orjson.OPT_INDENT_2).decode())
    elif known:
        terminal.table(
            ("stage", "at", "state", "what"), [(line.stage, line.at, line.state, line.what) for line in lines]
        )
    else:
        typer.echo(UNKNOWN.format(searched=search["searched"], since=f"{earliest:%Y-%m-%d %H:%M} UTC"))
        if not search["whole"]:
            typer.echo(CUT_SHORT)
    raise typer.Exit(0 if known and way.whole(lines) else 1)


def _holds(event: str, answers: dict[str, Any], search: dict[str, Any]) -> bool:
    """Whether anybody has heard of the event."""
    taken = {row["id"] for answer in answers.values() for row in answer["taken"]}
    dead = {row["event_id"] for answer in answers.values() for row in answer["dead"]}
    return event in taken | dead | {record["event"] for record in search["items"]}


async def searched(
    stack: "Client", answers: dict[str, Any], source: str, pushed: str, earliest: datetime, event: str | None
) -> dict[str, Any]:
    """What of it stands on the bus: shortly before it was taken in, or else from the earliest moment until now."""
    rows = [row for answer in answers.values() for row in (*answer["taken"], *answer["dead"])]
    own = [row for row in rows if event in (row["id"], row.get("event_id"))]
    moments = [datetime.fromisoformat(row["at"]) for row in own or rows]
    asked = [(min(moments) - window, min(moments) + AFTER) for window in WINDOWS] if moments else [(earliest, None)]
    found: dict[str, Any] = {}
    for since, until in asked:
        query = {"source": source, "id": pushed, "since": since.isoformat()}
        query |= {"until": until.isoformat()} if until else {}
        found = await stack.get("ingest", "/v1/records", **query)
        if found["items"]:
            break
    return found
