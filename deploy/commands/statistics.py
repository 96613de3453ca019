"""`fengsui statistics recount`: proves that the figures equal a recount of the facts."""

import orjson
import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url

PATIENCE_S = 360.0  # a recount may take five minutes


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The figures (统计).", no_args_is_help=True)
    group.command("recount")(recount)
    app.add_typer(group, name="statistics")


def recount(home: Home = DEFAULT_HOME, url: Url = None, token: Token = None) -> None:
    """Compare every figure with a recount of its facts; exits 1 when any differs."""
    from deploy import client  # noqa: PLC0415 (only what a command needs is loaded)

    path = "/v1/statistics/recount"
    answer = client.run(home, url, token, lambda stack: stack.post("reporting", path, {}, patience=PATIENCE_S))
    if answer["equal"]:
        typer.echo(f"equal: {answer['compared']} figures compared")
        return
    typer.echo(f"different: {answer.get('differing', 'some')} of {answer['compared']} figures; the first of them:")
    for difference in answer["differences"]:
        typer.echo(orjson.dumps(difference).decode())
    raise typer.Exit(1)
