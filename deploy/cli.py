"""The command `fengsui`: every group of commands is a module of deploy.commands, and every failure is one sentence."""

import importlib
import pkgutil
import sys

import typer

from deploy import commands
from deploy.refusal import Refusal

app = typer.Typer(
    name="fengsui",
    help="烽燧: alarms and hazards of industrial enterprises, followed until they are written off.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in pkgutil.iter_modules(commands.__path__):
    importlib.import_module(f"deploy.commands.{group.name}").register(app)


def main() -> None:
    try:
        app()
    except Refusal as refusal:
        sys.exit(f"fengsui: {refusal}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"fengsui: {where}{error.strerror or error}")


if __name__ == "__main__":
    main()
