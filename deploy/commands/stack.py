"""`fengsui up`, `down` and `status`: the whole platform on one machine."""

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

Home = Annotated[
    Path, typer.Option("--home", envvar="FENGSUI_HOME", show_default="~/.fengsui", help="Where all state is.")
]
PortBase = Annotated[
    int, typer.Option(envvar="FENGSUI_PORT_BASE", min=1, max=65000, help="The services listen from here on.")
]
DEFAULT_HOME = Path("~/.fengsui")


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    home: Home = DEFAULT_HOME,
    port_base: PortBase = 8000,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="A demo province with a live feed.")] = True,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready.")] = False,
) -> None:
    """Start everything that does not run yet, and start it again whenever it dies."""
    from deploy.local import detached, plan, stack, supervisor  # noqa: PLC0415 (only what a command needs is loaded)
    from shared import settings  # noqa: PLC0415

    settings.load()  # a wrong one is named here, once, and not by every service
    place = absolute(home)
    if detach:
        detached.up(place, port_base, demo, supervisor.say)
    else:
        build = lambda say: stack.build(place, port_base, demo, plan.SERVICES, os.environ, say)  # noqa: E731
        asyncio.run(supervisor.run_until_told(supervisor.Supervisor(place, build)))


def down(home: Home = DEFAULT_HOME) -> None:
    """Stop everything that runs in a home."""
    from deploy.local import stopping  # noqa: PLC0415

    stopping.down(absolute(home), typer.echo)


def status(
    home: Home = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects.")] = False,
) -> None:
    """Say of every process whether it is ready, and why not; exits 0 only when all are."""
    from deploy.local import status as asked  # noqa: PLC0415

    rows = asked.rows(absolute(home))
    if as_json:
        typer.echo(orjson.dumps([asdict(row) for row in rows], option=orjson.OPT_INDENT_2).decode())
    else:
        for row in rows:
            port, pid = row.port or "-", row.pid or "-"
            typer.echo(f"{row.name:<12}{port:>6}{pid:>9}  {'ready' if row.ready else shortened(row.reason or '')}")
    raise typer.Exit(0 if all(row.ready for row in rows) else 1)


def shortened(reason: str) -> str:
    return reason if len(reason) <= 120 else f"{reason[:119]}…"


def absolute(home: Path) -> Path:
    return home.expanduser().absolute()
