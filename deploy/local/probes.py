"""Ready means that it answered in its own protocol just now; a probe blocks no longer than its timeout."""

import http.client
import socket
import struct
from dataclasses import dataclass
from typing import Literal, assert_never

import orjson

SILENT = "does not answer"
CLOSED = "does not listen"
STARTING = "is starting up or shutting down"
BROKERLESS = "no broker has registered"

_LOGIN = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"  # protocol 3.0
_METADATA = struct.pack("!hhihi", 3, 1, 7, -1, 0)  # version 1, no client id, no topics


@dataclass(frozen=True, slots=True)
class Probe:
    """How to ask one part of the stack whether it is ready; a value, so that `status` can ask as `up` does."""

    kind: Literal["postgres", "kafka", "http"]
    host: str
    port: int
    path: str = "/readyz"

    def ask(self, timeout: float) -> str | None:
        """None when ready, else the reason."""
        try:
            match self.kind:
                case "postgres":
                    return _postgres(self.host, self.port, timeout)
                case "kafka":
                    return _kafka(self.host, self.port, timeout)
                case "http":
                    return _http(self.host, self.port, self.path, timeout)
                case _:
                    assert_never(self.kind)
        except ConnectionRefusedError:
            return CLOSED
        except (OSError, http.client.HTTPException):
            return SILENT


def _asked(host: str, port: int, request: bytes, timeout: float, size: int) -> bytes:
    """At least so many bytes of the answer; fewer when the other side hung up."""
    with socket.create_connection((host, port), timeout) as connection:
        connection.sendall(struct.pack("!i", len(request) + (4 if request is _LOGIN else 0)) + request)
        answer = b""
        while len(answer) < size and (more := connection.recv(4096)):
            answer += more
        return answer


def _postgres(host: str, port: int, timeout: float) -> str | None:
    """Asks as pg_isready does: ready is a question for the password, or a refusal for another reason than the state."""
    answer = _asked(host, port, _LOGIN, timeout, 1)
    if not answer:
        return SILENT
    return STARTING if answer[:1] == b"E" and b"C57P03\0" in answer else None


def _kafka(host: str, port: int, timeout: float) -> str | None:
    answer = _asked(host, port, _METADATA, timeout, 12)
    if len(answer) < 12:
        return SILENT
    brokers: int = struct.unpack("!iii", answer[:12])[2]
    return None if brokers > 0 else BROKERLESS


def _http(host: str, port: int, path: str, timeout: float) -> str | None:
    status, body = get(host, port, path, timeout)
    if status == 200:
        return None
    try:
        return "; ".join(str(reason) for reason in orjson.loads(body)["reasons"]) or f"answers {status}"
    except (ValueError, KeyError, TypeError):
        return f"answers {status}"


def get(host: str, port: int, path: str, timeout: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(4 * 1024 * 1024)
    finally:
        connection.close()
