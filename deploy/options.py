"""The options by which every command finds the stack that it talks to."""

from typing import Annotated

import typer

from deploy.commands.stack import DEFAULT_HOME, Home

__all__ = ["DEFAULT_HOME", "Home", "Token", "Url"]

Url = Annotated[
    str | None, typer.Option("--url", help="A stack elsewhere: http://HOST:PORT of its port base; needs --token.")
]
Token = Annotated[
    str | None, typer.Option("--token", envvar="FENGSUI_TOKEN", help="A token of `fengsui token create`.")
]
