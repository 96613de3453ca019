"""Rows into accounts and back; a password leaves this place only as its hash."""

from argon2 import PasswordHasher

from services.console.domain.accounts import Account
from shared.database import Connection
from shared.statements import statements
from shared.vocabulary import Role

_SQL = statements("services.console")
CREATE_ACCOUNT = _SQL["create_account"]
ACCOUNT_BY_NAME = _SQL["account_by_name"]


async def create(db: Connection, account: Account, password: str) -> bool:
    """Keeps a new account; False when its name is taken. Hashing takes some 50 ms and 64 MiB, as it should."""
    hashed = PasswordHasher().hash(password)
    values = (account.name, account.role, account.region, account.enterprise, hashed)
    return await db.fetchval(CREATE_ACCOUNT, *values) is not None


async def by_name(db: Connection, name: str) -> Account | None:
    """The account of that name, unless it is disabled."""
    row = await db.fetchrow(ACCOUNT_BY_NAME, name)
    return Account(row["name"], Role(row["role"]), row["region"], row["enterprise"]) if row else None
