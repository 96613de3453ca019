"""What is pushed: requests made ready as bytes beforehand, so that pushing costs next to nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from shared.codes import uscc_check_character

ENTERPRISES: Final = 50
COUNTIES: Final = ("220102", "220103", "220104", "220202", "220203", "220204", "220211", "220281", "220302", "220303")
POINTS: Final = 2_000
"""Of each enterprise; the first ones are pushed to first."""
FRAME: Final = 100
"""Readings of a frame."""

ONE: Final = "application/cloudevents+json"
MANY: Final = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A pusher: its code, its county and its key."""

    uscc: str
    region: str
    key: str


def uscc(number: int) -> str:
    """The credit code of the nth enterprise."""
    body = f"91220000MA{number:07}"
    return body + uscc_check_character(body)


def county(number: int) -> str:
    """Where the nth enterprise stands."""
    return COUNTIES[number % len(COUNTIES)]


def point(number: int) -> str:
    """The code of an enterprise's nth point."""
    return f"T-{number:05}"


def alarm(run: str, number: int, at: datetime) -> dict[str, Any]:
    """The nth alarm of a run as an enterprise writes it: red, and of a point that no other alarm of the run names."""
    return {
        "specversion": "1.0",
        "id": f"{run}-{number}",
        "source": f"//bench/{run}",
        "type": "fengsui.alarm.v1",
        "time": at.isoformat(),
        "data": {
            "point": point(number // ENTERPRISES),
            "level": "red",
            "state": "raised",
            "value": 131.5,
            "limit": 120.0,
            "message": "反应釜超温",
        },
    }


def request(port: int, path: str, media: str, body: bytes, key: str | None = None) -> bytes:
    """A POST as it goes over the wire."""
    bearer = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{bearer}"
        f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def single_alarms(run: str, count: int, pushers: Sequence[Enterprise], port: int, at: datetime) -> Iterator[bytes]:
    """One alarm a request, of the enterprises in turn."""
    for number in range(count):
        key = pushers[number % ENTERPRISES].key
        yield request(port, "/v1/events", ONE, orjson.dumps(alarm(run, number, at)), key)


def batched_alarms(
    run: str, count: int, size: int, pushers: Sequence[Enterprise], port: int, at: datetime
) -> Iterator[bytes]:
    """So many alarms a request, each request of one enterprise."""
    for first in range(0, count, size * ENTERPRISES):
        block = range(first, min(count, first + size * ENTERPRISES))
        for own, pusher in enumerate(pushers):
            body = orjson.dumps([alarm(run, number, at) for number in block if number % ENTERPRISES == own])
            yield request(port, "/v1/events", MANY, body, pusher.key)


def frames(count: int, points: int, pushers: Sequence[Enterprise], port: int, began: datetime) -> Iterator[bytes]:
    """So many frames over so many points of all enterprises together; the time of a frame is later at each round."""
    own = points // len(pushers)
    if own >= FRAME:
        parts = [(pusher, first) for first in range(0, own, FRAME) for pusher in pushers]
    else:
        parts = [(pusher, 0) for pusher in pushers[: points // FRAME]]
    for number in range(count):
        turn, place = divmod(number, len(parts))
        pusher, first = parts[place]
        body = {
            "time": datetime.fromtimestamp(began.timestamp() + turn, began.tzinfo).isoformat(),
            "points": [point(first + each) for each in range(FRAME)],
            "values": [round(60 + (number * 7 + each * 13) % 200 / 10, 1) for each in range(FRAME)],
        }
        yield request(port, "/v1/readings", "application/json", orjson.dumps(body), pusher.key)


def write(file: Path, requests: Sequence[bytes]) -> None:
    """A file that the pusher reads: the lengths on the first line, then the requests."""
    file.write_bytes(orjson.dumps([len(each) for each in requests]) + b"\n" + b"".join(requests))


def read(file: Path) -> list[bytes]:
    """The requests of such a file."""
    head, _, rest = file.read_bytes().partition(b"\n")
    found, place = [], 0
    for length in orjson.loads(head):
        found.append(rest[place : place + length])
        place += length
    return found
