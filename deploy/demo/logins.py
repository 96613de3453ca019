"""Three accounts to look around with, made once a home; their passwords are the home's own and lie under HOME/demo."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.accounts import make_account
from deploy.demo.keys import read_passwords, write_passwords
from deploy.demo.province import by_slug
from deploy.demo.seed import SHOWN
from services.console import store
from services.console.domain.accounts import PROVINCE, account_of
from shared.database import connect


@dataclass(frozen=True, slots=True)
class Login:
    """A demo account; `title` is what it stands for."""

    name: str
    role: str
    region: str
    enterprise: str | None
    title: str


def demo_logins() -> tuple[Login, ...]:
    """Who walks a case to its write-off: the enterprise is the one whose alarm the curl line raises."""
    slug, _ = SHOWN
    enterprise = by_slug()[slug]
    return (
        Login("officer", "officer", PROVINCE, None, "值班员"),
        Login("manager", "manager", PROVINCE, None, "监管人员"),
        Login("enterprise", "enterprise", enterprise.region, enterprise.uscc, enterprise.name),
    )


def logins(home: Path) -> list[tuple[Login, str]]:
    """Each with its password, made where there is none yet."""
    known = read_passwords(home)
    missing = [login.name for login in demo_logins() if login.name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(9) for name in missing}
        write_passwords(home, known)
    return [(login, known[login.name]) for login in demo_logins()]


async def make_accounts(home: Path, dsn: str) -> None:
    """Makes the accounts that there are not, as the role of the console that `dsn` names."""
    db = await connect(dsn, "console.demo")
    try:
        for login, password in logins(home):
            if await store.by_name(db, login.name) is None:
                account = account_of(login.name, login.role, login.region, login.enterprise)
                await make_account(db, "demo", account, password)
    finally:
        await db.close()
