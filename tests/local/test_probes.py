"""Ready is only what answers in its own protocol."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.local.probes import CLOSED, SILENT, STARTING, Probe
from deploy.local.tally import Counter, count


@contextmanager
def server(answer: bytes | None) -> Iterator[int]:
    """Answers every connection with these bytes; with None it takes the connection and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                connection.recv(4096)
                connection.sendall(answer or b"")
                connection.close()
            except OSError:
                return

        if answer is not None:
            threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def asked(kind: str, answer: bytes | None) -> str | None:
    with server(answer) as port:
        return Probe(kind, "127.0.0.1", port).ask(0.3)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["postgres", "kafka", "http"])
def test_what_takes_a_connection_and_says_nothing_does_not_answer(kind: str) -> None:
    assert asked(kind, None) == SILENT


@pytest.mark.parametrize("kind", ["postgres", "kafka", "http"])
def test_what_is_not_there_does_not_listen(kind: str) -> None:
    with server(None) as port:
        pass

    assert Probe(kind, "127.0.0.1", port).ask(0.3) == CLOSED  # type: ignore[arg-type]


def test_postgres_is_ready_when_it_asks_for_a_password_and_not_while_it_starts() -> None:
    assert asked("postgres", b"R\0\0\0\x17") is None
    assert asked("postgres", b"E\0\0\0\x20SFATAL\0C57P03\0Mthe database system is starting up\0\0") == STARTING
    assert asked("postgres", b"E\0\0\0\x20SFATAL\0C28000\0Mno pg_hba.conf entry\0\0") is None


def test_kafka_is_ready_when_a_broker_stands_in_its_metadata() -> None:
    assert asked("kafka", b"\0\0\0\x08\0\0\0\x07\0\0\0\x01") is None
    assert asked("kafka", b"\0\0\0\x08\0\0\0\x07\0\0\0\x00") == "no broker has registered"


def test_a_services_reasons_are_passed_on() -> None:
    body = b'{"ready":false,"reasons":["Kafka: away","stopping"]}'

    reason = asked("http", b"HTTP/1.0 503 No\r\n\r\n" + body)

    assert reason == "Kafka: away; stopping"
    assert asked("http", b"HTTP/1.0 500 No\r\n\r\noh") == "answers 500"
    assert asked("http", b"HTTP/1.0 200 OK\r\n\r\n") is None


def test_the_tally_sums_the_series_that_carry_the_labels() -> None:
    text = (
        "# TYPE fengsui_door_items_total counter\n"
        'fengsui_door_items_total{kind="alarm",outcome="accepted"} 2.0\n'
        'fengsui_door_items_total{kind="reading",outcome="accepted"} 1e3\n'
        'fengsui_door_items_total{kind="alarm",outcome="rejected"} 7.0\n'
    )

    accepted = count(text, Counter("ingest", "fengsui_door_items_total", {"outcome": "accepted"}))

    assert accepted == 1002
    assert count(text, Counter("ingest", "fengsui_absent_total", {})) == 0
