"""A home's PostgreSQL is copied while it runs, and put back as it was then; Kafka is never copied."""

import asyncio
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from deploy.local import claim, processes, walls
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres, binaries
from deploy.local.secrets import folder, password
from deploy.local.stopping import stop_recorded
from deploy.recall import Recalled, recall
from deploy.refusal import Refusal
from shared.migrate import migrate

NOT_UP = "PostgreSQL of {home} does not run ({reason}): `fengsui up` first"
FAILED = "{tool} failed: {words}"
NO_BACKUP = "{place} is no backup: it has no {part}"
DAMAGED = "{file} is not what was backed up: take an earlier backup"
SET_ASIDE = "what was there is kept in {place}"
KAFKA_GONE = "{home} has no Kafka: what came after the backup is lost, and partitions wait for `fengsui offsets repair`"

Say = Callable[[str], None]


def backup(home: Path, into: Path) -> Path:
    """A copy of the whole database, consistent across services, of evidence and secrets; made whole or not at all."""
    postgres = Postgres(home)
    probe = postgres.child().probe
    if probe and (reason := probe.ask(2.0)):
        raise Refusal(NOT_UP.format(home=home, reason=reason))
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = into / time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
    half = place.with_name(f"{place.name}.part")
    half.mkdir(mode=0o700)
    try:
        where = ("-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "--no-password")
        copy = ("-D", str(half / "postgres"), "-X", "stream", "-c", "fast", "--manifest-checksums=SHA256")
        _run("pg_basebackup", *where, *copy, PGPASSWORD=password(home, "postgres"))
        _verify(half / "postgres")
        shutil.copytree(folder(home), half / "secrets")
        if (home / "evidence").is_dir():  # after the rows that name its files, which are only ever added
            shutil.copytree(home / "evidence", half / "evidence", ignore=shutil.ignore_patterns(".*"))
        half.rename(place)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return place


def restore(home: Path, place: Path, say: Say) -> bool:
    """Puts a backup in the place of the home's database, which is kept beside it; says whether the home has a Kafka."""
    for part in ("postgres/backup_manifest", "secrets/postgres.postgres"):
        if not (place / part).is_file():
            raise Refusal(NO_BACKUP.format(place=place, part=part))
    _verify(place / "postgres")
    with claim.hold(home):
        postgres = Postgres(home)
        half = home / "postgres.new"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(place / "postgres", half)
        half.chmod(0o700)
        _keep_secrets(place / "secrets", folder(home))
        if (place / "evidence").is_dir():
            shutil.copytree(place / "evidence", home / "evidence", dirs_exist_ok=True)
        if postgres.user:
            for path in (half, *half.rglob("*")):
                shutil.chown(path, postgres.user, postgres.user)
        if postgres.data.exists():
            aside = home / f"postgres.before-{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}"
            postgres.data.rename(aside)
            say(SET_ASIDE.format(place=aside))
        half.rename(postgres.data)
    has_kafka = (Kafka(home).data / "meta.properties").is_file()
    if not has_kafka:
        say(KAFKA_GONE.format(home=home))
    return has_kafka


async def recalled(home: Path) -> list[Recalled]:
    """Starts the home's servers for as long as it takes to recall what came after the backup."""
    postgres, kafka = Postgres(home), Kafka(home)
    with claim.hold(home):
        try:
            await asyncio.to_thread(postgres.start)
            await asyncio.to_thread(kafka.start)
            await schemas(postgres.admin_dsn, {role: password(home, role) for role in walls.roles()})
            return await recall(kafka.bootstrap, postgres.admin_dsn)
        finally:
            await asyncio.to_thread(stop_recorded, home, lambda _line: None)


async def schemas(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """The backup may be of an earlier release."""
    await walls.bootstrap(admin_dsn, passwords)
    for service in walls.SERVICES:
        await migrate(walls.in_our_database(admin_dsn), service)


def _verify(copy: Path) -> None:
    """By the copy's own manifest (pg_verifybackup of the embedded build ends with a segmentation fault)."""
    for each in orjson.loads((copy / "backup_manifest").read_bytes())["Files"]:
        file = copy / each["Path"]
        try:
            with file.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            found = None
        if found != each["Checksum"]:
            raise Refusal(DAMAGED.format(file=file))


def _keep_secrets(saved: Path, place: Path) -> None:
    """Those that the home has lost; of the database's own password the copy counts, for it is in the backup."""
    for file in saved.iterdir():
        if not (place / file.name).exists() or file.name == "postgres.postgres":
            shutil.copy2(file, place / file.name)


def _run(tool: str, *arguments: str, **env: str) -> None:
    command = [str(binaries() / tool), *arguments]
    environment = processes.inherited() | {"LC_ALL": "C"} | env
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=os.sep)
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).strip().splitlines()[-2:])
        raise Refusal(FAILED.format(tool=tool, words=words))
