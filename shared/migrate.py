"""A service's schema, brought up to date by numbered SQL files, forward only, under its own owner."""

from importlib.resources import files

import asyncpg

_TABLE = "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"


ALONE = "-- Only while the service does not run"
"""In a script that the version before could not bear."""


class InCompany(Exception):
    """The service still runs."""


def scripts(service: str) -> list[tuple[str, str]]:
    """(name, SQL) of every migration of a service: the shared tables first, then its own."""
    found = []
    for package in ("shared", f"services.{service}"):
        folder = files(package) / "migrations"
        texts = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
        found += [(f"{package}/{name}", texts[name]) for name in sorted(texts)]
    return found


async def migrate(admin_dsn: str, service: str) -> list[str]:
    """Applies what is missing and returns its names. Two at once wait for each other."""
    connection = await asyncpg.connect(admin_dsn, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('fengsui.migrate'))")
        await connection.execute(f"SET ROLE {service}_owner; SET search_path = {service}")
        await connection.execute("SET lock_timeout = '4s'; SET statement_timeout = '60s'")
        await connection.execute(_TABLE)
        known = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
        missing = [(name, sql) for name, sql in scripts(service) if name not in known]
        if known and any(ALONE in sql for _, sql in missing):
            await _refuse_company(connection, service)
        for name, sql in missing:
            async with connection.transaction():
                await connection.execute(sql.replace(":service", service))
                await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)
        return [name for name, _ in missing]
    finally:
        await connection.close()


async def _refuse_company(connection: asyncpg.Connection, service: str) -> None:
    """The version before would see nothing any more, and a door of it would turn every key away for good."""
    roles = [f"{service}_work", f"{service}_ask"]
    if await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = ANY($1::text[])", roles):
        raise InCompany(f"{service} of the version before still runs: stop it first (`fengsui down`)")
