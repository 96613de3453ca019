"""Every service has its schema and two roles of its own in PostgreSQL, and can touch nobody else's."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

DATABASE = "fengsui"
SERVICES = ("ingest", "hazards", "notify", "reporting", "console")


def dsn(admin_dsn: str, role: str, password: str) -> str:
    """The same server and options, as another role, in our database."""
    parts = urlsplit(admin_dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password)}@{host}", path=f"/{DATABASE}"))


def in_our_database(admin_dsn: str) -> str:
    return urlunsplit(urlsplit(admin_dsn)._replace(path=f"/{DATABASE}"))


def roles() -> list[str]:
    """Every role that logs in."""
    return [f"{service}_{kind}" for service in SERVICES for kind in ("work", "ask")]


async def bootstrap(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """Database, roles and schemas, on any server; doing it again changes nothing."""
    server = await asyncpg.connect(admin_dsn, timeout=10)
    try:
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            with suppress(asyncpg.DuplicateDatabaseError):  # another starter was first
                await server.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
    finally:
        await server.close()
    database = await asyncpg.connect(in_our_database(admin_dsn), timeout=10)
    try:
        async with database.transaction():
            await database.execute("SELECT pg_advisory_xact_lock(hashtext('fengsui bootstrap'))")
            await database.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            await database.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
            for service in SERVICES:
                await _wall(database, service, passwords)
    finally:
        await database.close()


async def _wall(db: asyncpg.Connection, service: str, passwords: Mapping[str, str]) -> None:
    known = {row["rolname"] for row in await db.fetch("SELECT rolname FROM pg_roles")}
    owner, work, ask = (f"{service}_{kind}" for kind in ("owner", "work", "ask"))
    for role, may in ((owner, "NOLOGIN"), (work, "LOGIN"), (ask, "LOGIN")):
        if role not in known:
            await db.execute(f"CREATE ROLE {role} {may}")
    if not await db.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await db.execute(f"GRANT {owner} TO CURRENT_USER")
    await db.execute(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}")
    await db.execute(f"GRANT USAGE ON SCHEMA {service} TO {work}, {ask}")
    await db.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {work}")
    await db.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {ask}")
    for role in (work, ask):
        await db.execute(f"ALTER ROLE {role} PASSWORD '{verifier(passwords[role])}'")
        await db.execute(f"ALTER ROLE {role} SET search_path = {service}")


def verifier(password: str, salt: bytes | None = None, turns: int = 4096) -> str:
    """The SCRAM-SHA-256 verifier (RFC 5803), so that no log of the server can ever hold a password."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, turns)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${turns}:{salt64}${stored64}:{server64}"
