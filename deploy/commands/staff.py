"""`fengsui staff create`, `token create`: accounts of the staff, made on the machine of the home."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.refusal import Refusal

if TYPE_CHECKING:
    from shared.database import Connection

ELSEWHERE = "accounts and tokens are made on the machine of the home: run this there, without --url and --token"
NO_STACK = "no stack runs in {home}, and the accounts are in its PostgreSQL: start it with `fengsui up`"
NO_TABLES = "the PostgreSQL of {home} has no accounts yet: `fengsui down` and `fengsui up` bring its schemas up to date"
UNREACHABLE = "the accounts cannot be reached: PostgreSQL at {place} says {reason}"
NOT_TEXT = "the password is not in UTF-8"
NO_PASSWORDS = "the two passwords differ"
EXISTS = "there is an account {name} already"
UNKNOWN = "there is no account {name}, or it is disabled: `fengsui staff create` makes one"

Result = TypeVar("Result")


def register(app: typer.Typer) -> None:
    staff = typer.Typer(help="Accounts of the staff (账号).", no_args_is_help=True)
    staff.command("create")(create_staff)
    app.add_typer(staff, name="staff")
    token = typer.Typer(help="Tokens for the staff's APIs.", no_args_is_help=True)
    token.command("create")(create_token)
    app.add_typer(token, name="token")


def create_staff(
    name: Annotated[str, typer.Argument(help="As it will stand on every trail.")],
    role: Annotated[str, typer.Option(help="viewer, officer, manager, enterprise, ops or admin.")],
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code; bounds what the account sees.")] = None,
    enterprise: Annotated[str | None, typer.Option(help="Credit code, for the role enterprise.")] = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Make an account; the password comes from standard input, or is asked for."""
    from deploy.accounts import make_account  # noqa: PLC0415
    from deploy.client import login  # noqa: PLC0415
    from services.console.domain.accounts import Unfit, account_of, password_fault  # noqa: PLC0415

    place = _here(home, url)
    try:
        account = account_of(name, role, region, enterprise)
    except Unfit as unfit:
        raise Refusal(str(unfit)) from unfit
    password = _password()
    if fault := password_fault(password):
        raise Refusal(fault)
    if not _with_accounts(place, lambda db: make_account(db, login(), account, password)):
        raise Refusal(EXISTS.format(name=name))
    typer.echo(f"account {account.name}: {account.role}, {account.enterprise or account.region}")


def create_token(
    staff: Annotated[str, typer.Option(help="The account's name.")],
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="How long it holds.")] = 12,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Print one token, alone on standard output."""
    from deploy.tokens import mint  # noqa: PLC0415
    from services.console import store  # noqa: PLC0415

    place = _here(home, url)
    account = _with_accounts(place, lambda db: store.by_name(db, staff))
    if account is None:
        raise Refusal(UNKNOWN.format(name=staff))
    typer.echo(mint(place, account.name, account.role, account.region, hours, account.enterprise))


def _here(home: Path, url: str | None) -> Path:
    if url is not None:
        raise Refusal(ELSEWHERE)
    return home.expanduser().absolute()


def _password() -> str:
    if not sys.stdin.isatty():
        try:
            return sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise Refusal(NOT_TEXT) from error
    first: str = typer.prompt("Password", hide_input=True, err=True)
    if typer.prompt("Again", hide_input=True, err=True) != first:
        raise Refusal(NO_PASSWORDS)
    return first


def _with_accounts(home: Path, work: Callable[["Connection"], Awaitable[Result]]) -> Result:
    """Does work on the console's tables, as the role that the console works as."""
    import asyncpg  # noqa: PLC0415

    from shared.database import connect  # noqa: PLC0415

    place, dsn = _accounts_dsn(home)

    async def connected() -> Result:
        db = await connect(dsn, "console.cli")
        try:
            return await work(db)
        finally:
            await db.close()

    try:
        return asyncio.run(connected())
    except asyncpg.UndefinedTableError as error:
        raise Refusal(NO_TABLES.format(home=home)) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise Refusal(UNREACHABLE.format(place=place, reason=reason)) from error


def _accounts_dsn(home: Path) -> tuple[str, str]:
    """Where the home's PostgreSQL is, and how the console gets in."""
    from deploy.local import claim, processes, secrets, walls  # noqa: PLC0415

    state = claim.declared(home)
    part = next((part for part in state.parts if part.name == "postgres" and part.probe), None) if state else None
    if part is None or part.probe is None:
        raise Refusal(NO_STACK.format(home=home))
    place = f"{part.probe.host}:{part.probe.port}"
    ours = processes.recorded(home, "postgres") is not None
    outside = None if ours else os.environ.get("FENGSUI_POSTGRES")
    role = "console_work"
    return place, walls.dsn(outside or f"postgresql://{place}/", role, secrets.password(home, role))
