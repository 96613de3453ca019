"""`fengsui backup`, `restore` and `recall`: the database goes back to a copy, and Kafka's memory makes up for it."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.stack import absolute
from deploy.options import DEFAULT_HOME, Home
from deploy.refusal import Refusal

if TYPE_CHECKING:
    from deploy.recall import Recalled

NEEDED = "FENGSUI_KAFKA and FENGSUI_POSTGRES name the servers: {name} is not set (an embedded home: `fengsui restore`)"


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)
    app.command()(recall)


def backup(
    into: Annotated[Path, typer.Argument(help="Where backups are; each is a folder named by its time.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Copy the running database of an embedded home, and its secrets; prints the copy's place."""
    from deploy.local import backup as local  # noqa: PLC0415 (only what a command needs is loaded)

    typer.echo(local.backup(absolute(home), absolute(into)))


def restore(
    place: Annotated[Path, typer.Argument(help="A backup, as `fengsui backup` printed it.", metavar="BACKUP")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Put a backup in the place of the database of a home that is down, and recall what came after it from Kafka."""
    from deploy.local import backup as local  # noqa: PLC0415

    _hush()
    where = absolute(home)
    if local.restore(where, absolute(place), typer.echo):
        _say(asyncio.run(local.recalled(where)))
    typer.echo("restored; go on with `fengsui up`")


def recall() -> None:
    """After a restore of a PostgreSQL that is not embedded, before the services start: recall what Kafka knows."""
    names = ("FENGSUI_KAFKA", "FENGSUI_POSTGRES")
    if missing := [name for name in names if not os.environ.get(name)]:
        raise Refusal(NEEDED.format(name=missing[0]))
    from deploy.recall import recall as recalled  # noqa: PLC0415

    _hush()
    _say(asyncio.run(recalled(*(os.environ[name] for name in names))))


def _hush() -> None:
    """What the client does not get over reaches us as an error; of the rest a broker that just started has much."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _say(found: "Sequence[Recalled]") -> None:
    for each in found:
        typer.echo(f"{each.service:<10} {each.events} of its own words recalled, {each.records} records to read again")
