"""`fengsui audit verify`: proves that no row of the audit trail was altered, removed or moved."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url

if TYPE_CHECKING:
    from deploy.chain import Walk
    from deploy.client import Client

AT_ONCE = 2000
HOLDS = "holds"
NOT_COMPARED = "the anchors were not compared, so rows cut off the end may go unseen: {reason}"
NO_ADDRESS = "FENGSUI_KAFKA says where Kafka is"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The audit trail (审计): every change by a person.", no_args_is_help=True)
    group.command("verify")(verify)
    app.add_typer(group, name="audit")


def verify(
    service: Annotated[str | None, typer.Option(help="Only this service's chain.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Walk the chain of every service and compare it with its anchors on Kafka; exits 1 when any does not hold."""
    from deploy import client, terminal  # noqa: PLC0415 (only what a command needs is loaded)
    from deploy.chain import Walk  # noqa: PLC0415

    bootstrap = _kafka(home, url)

    async def work(stack: client.Client) -> tuple[dict[str, Walk], str | None]:
        walks = {each: Walk(each) for each in ([service] if service else client.OFFSETS)}
        unread = await _anchored(walks, bootstrap)
        for each, walk in walks.items():
            await _walk(stack, each, walk)
        return walks, unread

    walks, unread = client.run(home, url, token, work)
    rows = [(name, walk.rows, "?" if unread else walk.anchors, walk.fault or HOLDS) for name, walk in walks.items()]
    terminal.table(("service", "rows", "anchors", "chain"), rows)
    if unread:
        typer.echo(NOT_COMPARED.format(reason=unread), err=True)
    raise typer.Exit(1 if any(walk.fault for walk in walks.values()) else 0)


async def _anchored(walks: dict[str, "Walk"], bootstrap: str | None) -> str | None:
    """Tells every walk its anchors, before any row is read; why they are unknown where they are."""
    from deploy.anchors import Unread, anchors  # noqa: PLC0415

    if bootstrap is None:
        return NO_ADDRESS
    try:
        async for head in anchors(bootstrap):
            if head.service in walks:
                walks[head.service].anchored([head])
    except Unread as unread:
        return str(unread)
    return None


async def _walk(stack: "Client", service: str, walk: "Walk") -> None:
    from deploy import terminal  # noqa: PLC0415
    from deploy.chain import HEAD  # noqa: PLC0415

    page = await stack.get(service, "/v1/audit/chain", limit=str(AT_ONCE))
    head = page["head"]
    if head["seq"]:
        walk.expect(head["seq"], head["hash"], HEAD)
    with terminal.progress(service, head["seq"]) as show:
        while walk.fault is None:
            for row in page["items"]:
                walk.take(row)
            show(walk.rows, f"{walk.rows} rows")
            if page["next"] is None:
                walk.end()
                break
            page = await stack.get(service, "/v1/audit/chain", limit=str(AT_ONCE), cursor=page["next"])


def _kafka(home: Path, url: str | None) -> str | None:
    """Where the anchors are: as the environment says, or else where the home's own broker is."""
    from deploy.local import claim  # noqa: PLC0415

    given = os.environ.get("FENGSUI_KAFKA")
    state = None if given or url else claim.declared(home.expanduser().absolute())
    part = next((part for part in state.parts if part.name == "kafka" and part.probe), None) if state else None
    return f"{part.probe.host}:{part.probe.port}" if part and part.probe else given
