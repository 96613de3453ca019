"""The processes of a stack that is hurt: what is known of each, and how one is ended."""

import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.processes import recorded


@dataclass
class Replica:
    """One process of a service; what it is told besides holds for its next life only."""

    name: str
    service: str
    port: int
    process: psutil.Popen | None = None
    lives: int = 0
    more: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end_life(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends its process, if it runs; the next life begins by itself."""
        if self.alive and self.process is not None:
            self.process.send_signal(number)

    def next_life(self, more: dict[str, str], number: signal.Signals = signal.SIGTERM) -> int:
        """The life after this one is told more, and begins at once; returns the number of the present one."""
        present = self.lives
        self.more = more
        self.end_life(number)
        return present


@dataclass
class Server:
    """PostgreSQL or Kafka; `away` keeps it down."""

    name: str
    part: Postgres | Kafka
    away: bool = False
    lives: int = 1

    def process(self, home: Path) -> psutil.Process | None:
        record = recorded(home, self.name)
        return record.process() if record else None


def end(replica: Replica, number: signal.Signals) -> None:
    """Waits until it has ended, also one that is frozen or does not want to."""
    if (process := replica.process) is None:
        return
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
    try:
        process.wait(15)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(5)
