"""The embedded PostgreSQL trusts nobody, keeps services apart, and is never made over something that stands."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import processes, secrets, walls
from deploy.local.postgres import Postgres
from deploy.refusal import Refusal

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("postgres") / "烽燧 home"


@pytest.fixture(scope="module")
def server(own_home: Path) -> Iterator[Postgres]:
    started = Postgres(own_home, fast=True)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
async def walled(server: Postgres) -> Postgres:
    passwords = {role: secrets.password(server.home, role) for role in walls.roles()}
    for _ in range(2):  # again changes nothing
        await walls.bootstrap(server.admin_dsn, passwords)
    return server


async def test_a_service_owns_its_schema_alone(walled: Postgres) -> None:
    db = await asyncpg.connect(walled.dsn("ingest_work"))

    assert await db.fetchval("SHOW search_path") == "ingest"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema hazards"):
        await db.execute("SELECT * FROM hazards.anything")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("CREATE TABLE public.anything (id int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("CREATE TABLE anything (id int)")
    await db.close()


async def test_no_role_that_logs_in_is_owner_or_superuser(walled: Postgres) -> None:
    db = await asyncpg.connect(walled.admin_dsn)

    found = await db.fetch("SELECT * FROM pg_roles WHERE rolname = ANY($1)", walls.roles())

    assert len(found) == 2 * len(walls.SERVICES)
    assert not any(role["rolsuper"] or role["rolbypassrls"] or role["rolcreaterole"] for role in found)
    assert not await db.fetchval(
        "SELECT count(*) FROM pg_auth_members WHERE member::regrole::text = ANY($1)", walls.roles()
    )
    await db.close()


@pytest.mark.parametrize("role", ["postgres", "ingest_work"])
async def test_nobody_is_trusted_without_the_password(walled: Postgres, role: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(walls.dsn(walled.admin_dsn, role, "guessed"))


async def test_checksums_utf8_and_utc_are_on(server: Postgres) -> None:
    db = await asyncpg.connect(server.admin_dsn)

    settings = [await db.fetchval(f"SHOW {name}") for name in ("data_checksums", "server_encoding", "timezone")]

    assert settings == ["on", "UTF8", "UTC"]
    assert await db.fetchval("SHOW listen_addresses") == "127.0.0.1"
    await db.close()


async def test_a_killed_server_starts_again_with_what_it_had(walled: Postgres) -> None:
    record = processes.recorded(walled.home, "postgres")
    assert record

    _kill_and_leave_unreaped(record.pid)
    walled.start()

    db = await asyncpg.connect(walled.dsn("ingest_ask"))
    assert await db.fetchval("SELECT current_user") == "ingest_ask"
    await db.close()


def _kill_and_leave_unreaped(pid: int) -> None:
    """As in many a container, whose first process waits for nobody."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_a_folder_that_is_no_cluster_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "base").write_text("what was saved")

    with pytest.raises(Refusal, match=r"PG_VERSION is missing, and .* nothing was initialised"):
        Postgres(tmp_path).prepare()

    assert [file.name for file in (tmp_path / "postgres").iterdir()] == ["base"]


def test_a_verifier_is_what_postgres_would_have_stored() -> None:
    verifier = walls.verifier("pencil", salt=b"salt" * 4)

    assert verifier.startswith("SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$")
    assert verifier == walls.verifier("pencil", salt=b"salt" * 4)
    assert "pencil" not in verifier
