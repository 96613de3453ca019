"""Rows into accounts, sessions and evidence, and back; a password leaves this place only as its hash."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg
from argon2 import PasswordHasher

from services.console.domain.accounts import Account
from services.console.domain.evidence import Evidence
from services.console.domain.sessions import Session
from services.console.domain.throttle import FORGOTTEN, Failures
from shared.database import Connection
from shared.statements import statements
from shared.vocabulary import Role

_SQL = statements("services.console")
CREATE_ACCOUNT = _SQL["create_account"]
ACCOUNT_BY_NAME = _SQL["account_by_name"]
ENTRY_BY_NAME = _SQL["entry_by_name"]
LIST_ACCOUNTS = _SQL["list_accounts"]
LOCK_ACCOUNTS = _SQL["lock_accounts_that_matter"]
CHANGE_ACCOUNT = _SQL["change_account"]
SET_PASSWORD = _SQL["set_password"]
CHANGE_PASSWORD = _SQL["change_password"]
OPEN_SESSION = _SQL["open_session"]
SESSION_BY_KEY = _SQL["session_by_key"]
SESSIONS_OF = _SQL["sessions_of"]
USE_SESSION = _SQL["use_session"]
KEEP_SESSION = _SQL["keep_session"]
END_SESSION = _SQL["end_session"]
END_NUMBERED = _SQL["end_numbered_session"]
END_OTHERS = _SQL["end_other_sessions"]
PRUNE_SESSIONS = _SQL["prune_sessions"]
FAILURES_OF = _SQL["failures_of"]
SET_FAILURES = _SQL["set_failures"]
FAILED_NOW = _SQL["failed_now"]
FORGIVE = _SQL["forgive_failures"]
PRUNE_FAILURES = _SQL["prune_failures"]
KEEP_SIGN_IN = _SQL["keep_sign_in"]
TAKE_SIGN_IN = _SQL["take_sign_in"]
PRUNE_SIGN_INS = _SQL["prune_sign_ins"]
KEEP_EVIDENCE = _SQL["keep_evidence"]
EVIDENCE_BY_ID = _SQL["evidence_by_id"]
COUNT_EVIDENCE = _SQL["count_evidence"]
HOLD_EVIDENCE = _SQL["hold_evidence"]


Row: TypeAlias = "asyncpg.Record"


@dataclass(frozen=True, slots=True)
class Entry:
    """An account with what a login is compared with."""

    account: Account
    hash: str
    version: int
    disabled: bool


# Accounts


async def create(db: Connection, account: Account, password: str) -> bool:
    """Keeps a new account; False when its name is taken. Hashing takes some 50 ms and 64 MiB, as it should."""
    return await add(db, account, PasswordHasher().hash(password))


async def add(db: Connection, account: Account, hashed: str) -> bool:
    """The same, with the password hashed already."""
    values = (account.name, account.role, account.region, account.enterprise, hashed)
    return await db.fetchval(CREATE_ACCOUNT, *values) is not None


async def by_name(db: Connection, name: str) -> Account | None:
    """The account of that name, unless it is disabled."""
    row = await db.fetchrow(ACCOUNT_BY_NAME, name)
    return _account(row) if row else None


async def entry(db: Connection, name: str) -> Entry | None:
    """The account of that name, disabled or not."""
    row = await db.fetchrow(ENTRY_BY_NAME, name)
    return Entry(_account(row), row["password"], row["version"], row["disabled"]) if row else None


async def lock(db: Connection, name: str) -> tuple[Account | None, bool, set[str]]:
    """The account to change, whether it is disabled, and the names of all admins in force; none changes meanwhile."""
    rows = await db.fetch(LOCK_ACCOUNTS, name)
    admins = {row["name"] for row in rows if row["role"] == Role.ADMIN and not row["disabled"]}
    found = next((row for row in rows if row["name"] == name), None)
    return (_account(found), found["disabled"], admins) if found else (None, False, admins)


async def change(db: Connection, account: Account, *, disabled: bool) -> None:
    """What the account may do from now on; its sessions end."""
    values = (account.name, account.role, account.region, account.enterprise, disabled)
    await db.execute(CHANGE_ACCOUNT, *values)


# Sessions


async def session(db: Connection, key: bytes) -> tuple[Session, datetime] | None:
    """A session, and the database's time at which it was looked at."""
    row = await db.fetchrow(SESSION_BY_KEY, key)
    return (session_of(row), row["now"]) if row else None


def session_of(row: Row) -> Session:
    """The session that a row describes, with its account as it is now."""
    names = ("key", "number", "since", "version", "disabled", "created_at", "used_at", "address", "agent")
    return Session(account=_account(row), **{name: row[name] for name in names})


async def failures(db: Connection, name: str, address: str) -> tuple[Failures, datetime]:
    """What an address has failed at so far, locked until the transaction ends, and the time."""
    row = await db.fetchrow(FAILURES_OF, name, address)
    assert row is not None
    return Failures(row["count"], row["last_at"]), row["now"]


async def prune(db: Connection, idle: timedelta, whole: timedelta, sign_in: timedelta) -> int:
    """Forgets what no longer holds; how many rows."""
    gone = (
        await db.execute(PRUNE_SESSIONS, idle, whole),
        await db.execute(PRUNE_FAILURES, FORGOTTEN),
        await db.execute(PRUNE_SIGN_INS, sign_in),
    )
    return sum(int(each.split()[-1]) for each in gone)


# Evidence


async def keep(db: Connection, evidence: Evidence) -> bool:
    """Keeps a file's row; False when the case has that file already."""
    values = (
        evidence.id,
        evidence.case,
        evidence.region,
        evidence.enterprise,
        evidence.name,
        evidence.media_type,
        evidence.sha256,
        evidence.size,
        evidence.by,
    )
    return await db.fetchval(KEEP_EVIDENCE, *values) is not None


async def evidence(db: Connection, id: UUID) -> Evidence | None:
    """A file's row, if it is in sight."""
    row = await db.fetchrow(EVIDENCE_BY_ID, id)
    if row is None:
        return None
    names = ("id", "region", "enterprise", "name", "media_type", "sha256", "size", "by")
    return Evidence(case=row["case_id"], **{name: row[name] for name in names})


def _account(row: Row) -> Account:
    return Account(row["name"], Role(row["role"]), row["region"], row["enterprise"])
