"""A port is asked for before it is used, and whoever holds it is named."""

import random
import socket
from pathlib import Path

import orjson
import psutil

from deploy.local import processes
from deploy.refusal import Refusal

TAKEN = "port {port} ({name}) is taken{by}"
NONE_FREE = "no free port between 20000 and 30000 was found for {name}"
OWN_RANGE = range(20_000, 30_000)  # below the ephemeral ports, any of which an outgoing connection may hold


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT holds nobody up
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def holder(port: int) -> psutil.Process | None:
    """Who listens there, as far as the system tells."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if listens and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        pass
    return None


def taken(name: str, port: int) -> Refusal:
    """The sentence that names the port, and its holder where the system tells."""
    by, process = "", holder(port)
    if process:
        try:
            by = f" by {process.name()} (pid {process.pid}: {' '.join(process.cmdline())[:80]})"
        except psutil.Error:
            by = f" by pid {process.pid}"
    return Refusal(TAKEN.format(name=name, port=port, by=by))


def kept(home: Path, name: str, child: str) -> int:
    """The home's own port of that name: the one of last time, or another where a stranger has taken it meanwhile."""
    file = home / "run" / "ports.json"
    known = _known(file)
    port = known.get(name)
    if port is None or not (is_free(port) or _is_alive(home, child)):
        port = _another(name, set(known.values()))
        processes.write(file, known | {name: port})
    return port


def _known(file: Path) -> dict[str, int]:
    """A garbled file costs nothing: other ports are chosen."""
    try:
        return {str(name): int(port) for name, port in orjson.loads(file.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _is_alive(home: Path, child: str) -> bool:
    record = processes.recorded(home, child)
    return record is not None and record.process() is not None


def _another(name: str, given: set[int]) -> int:
    for port in random.sample(OWN_RANGE, 500):
        if port not in given and is_free(port):
            return port
    raise Refusal(NONE_FREE.format(name=name))
