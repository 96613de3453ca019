"""A taken port is named with its holder, and a home keeps its own."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from deploy.local import ports


@contextmanager
def stranger(port: int = 0) -> Iterator[int]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_holder_of_a_taken_port_is_named() -> None:
    with stranger() as port:
        free, sentence = ports.is_free(port), str(ports.taken("ingest", port))

    assert not free
    assert sentence.startswith(f"port {port} (ingest) is taken by ")
    assert f"pid {os.getpid()}" in sentence


def test_a_port_whose_last_connection_has_just_ended_is_free() -> None:
    with stranger() as port, socket.create_connection(("127.0.0.1", port)):
        pass

    assert ports.is_free(port)


def test_a_home_keeps_its_port(tmp_path: Path) -> None:
    first = ports.kept(tmp_path, "postgres", "postgres")

    assert ports.kept(tmp_path, "postgres", "postgres") == first
    assert ports.kept(tmp_path, "kafka", "kafka") != first


def test_a_port_that_a_stranger_took_is_given_up(tmp_path: Path) -> None:
    first = ports.kept(tmp_path, "postgres", "postgres")

    with stranger(first):
        second = ports.kept(tmp_path, "postgres", "postgres")

    assert second != first
    assert ports.kept(tmp_path, "postgres", "postgres") == second


def test_garbled_ports_cost_only_the_ports(tmp_path: Path) -> None:
    ports.kept(tmp_path, "postgres", "postgres")
    file = tmp_path / "run" / "ports.json"
    file.write_bytes(b'{"postgres": "here"')

    port = ports.kept(tmp_path, "postgres", "postgres")

    assert orjson.loads(file.read_bytes()) == {"postgres": port}
