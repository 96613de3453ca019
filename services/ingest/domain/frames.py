"""Frames: readings as rows or as columns, checked reading by reading."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from math import isfinite
from typing import Any, Final

from services.ingest.domain.admission import DEPTH_LIMIT, POINT_LIMIT, Pusher, Refused, TooDeep, deeper_than, escaped
from services.ingest.domain.moments import BadTime, moment
from shared.events.event import event_id, microseconds
from shared.events.readings import Frame, FrameData
from shared.vocabulary import Quality

SOURCE: Final = "//fengsui/readings"
ITEM_LIMIT: Final = 10_000
_QUALITIES: Final = frozenset(Quality)
_ROW: Final = frozenset({"point", "time", "value", "quality"})


class BadFrame(Exception):
    """Nothing of the frame can be read: HTTP status, code, sentence, pointer."""

    def __init__(self, status: int, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.pointer = status, code, detail, pointer


@dataclass
class Admitted:
    """A frame's verdicts: the readings that are good, those said twice, and those refused by index."""

    readings: dict[tuple[str, int], tuple[float | None, bool]] = field(default_factory=dict)
    duplicates: int = 0
    rejected: list[tuple[int, Refused]] = field(default_factory=list)


def admit_frame(body: object, points: Set[str], now: datetime) -> Admitted:
    """Every reading judged by itself; the same point and time twice: the last one counts. Raises BadFrame."""
    if not isinstance(body, dict):
        raise BadFrame(400, "bad_shape", "a frame is a JSON object, with rows or with columns")
    if deeper_than(body, DEPTH_LIMIT):
        raise TooDeep
    rows = _rows(body) if "readings" in body else _columns(body)
    admitted, times = Admitted(), _Times(now)
    for index, (place, given) in enumerate(rows):
        try:
            point, at, value, good = _reading(given, place, points, times)
        except Refused as refused:
            admitted.rejected.append((index, refused))
            continue
        if (point, at) in admitted.readings:
            admitted.duplicates += 1
        admitted.readings[point, at] = value, good
    return admitted


def frame_of(admitted: Admitted, pusher: Pusher, now: datetime) -> Frame:
    """The frame on the bus, its readings in the order of their times."""
    ordered = sorted(admitted.readings.items(), key=lambda item: item[0][1])
    data = FrameData(
        points=tuple(point for (point, _), _ in ordered),
        times=tuple(at for (_, at), _ in ordered),
        values=tuple(value for _, (value, _) in ordered),
        good=tuple(good for _, (_, good) in ordered),
    )
    content = blake2b(repr(ordered).encode(), digest_size=16).hexdigest()
    return Frame(
        id=event_id(pusher.uscc, SOURCE, content),
        source=SOURCE,
        time=now,
        enterprise=pusher.uscc,
        region=pusher.region,
        industry=pusher.industry,
        accepted=now,
        data=data,
    )


class _Times:
    """Reads times; a frame says the same one many times."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[object, int] = {}

    def at(self, text: object, pointer: str) -> int:
        known = self._known.get(text) if isinstance(text, str) else None
        if known is not None:
            return known
        try:
            found = microseconds(moment(text, self._now))
        except BadTime as error:
            raise Refused(error.code, error.detail, pointer) from error
        self._known[text] = found
        return found


def _reading(given: Any, place: Mapping[str, str], points: Set[str], times: _Times) -> tuple[str, int, Any, bool]:
    if not isinstance(given, dict):
        raise Refused("bad_shape", "a reading is a JSON object", place["point"].rsplit("/", 1)[0])
    for name in given:
        if name not in _ROW:
            raise Refused("unknown_member", "a reading has point, time, value and quality", place[escaped(name)])
    point = given.get("point")
    if not isinstance(point, str) or not 1 <= len(point) <= POINT_LIMIT:
        raise Refused("bad_point", f"a point is 1 to {POINT_LIMIT} characters", place["point"])
    if point not in points:
        raise Refused("unknown_point", "the enterprise has no such point", place["point"])
    at = times.at(given.get("time"), place["time"])
    quality = given.get("quality", "good")
    if not isinstance(quality, str) or quality not in _QUALITIES:
        raise Refused("bad_quality", f"quality is one of {', '.join(Quality)}", place["quality"])
    value = given.get("value")
    if value is None and quality == Quality.BAD:
        return point, at, None, False
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("not_a_number", "a value is a number; null only with quality bad", place["value"])
    try:
        value = float(value) + 0.0  # -0.0 is 0
    except OverflowError:
        value = float("inf")
    if not isfinite(value):
        raise Refused("not_finite", "a value is finite", place["value"])
    return point, at, value, quality != Quality.BAD


def _rows(body: dict[str, Any]) -> Iterator[tuple[Mapping[str, str], Any]]:
    _only(body, {"readings"})
    rows = body["readings"]
    if not isinstance(rows, list):
        raise BadFrame(400, "bad_shape", "readings is a list", "/readings")
    _bounded(len(rows))
    for index, row in enumerate(rows):
        yield _Place(f"/readings/{index}/", ""), row


class _Place(dict[str, str]):
    """Pointers to the members of one reading, made when asked for."""

    def __init__(self, before: str, after: str, names: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._before, self._after, self._names = before, after, names or {}

    def __missing__(self, name: str) -> str:
        return "/time" if self._names and name == "time" else self._before + self._names.get(name, name) + self._after


_COLUMN: Final = {"point": "points", "value": "values", "quality": "quality", "time": "time"}


def _columns(body: dict[str, Any]) -> Iterator[tuple[Mapping[str, str], Any]]:
    _only(body, {"time", "points", "values", "quality"})
    points, values = body.get("points"), body.get("values")
    qualities = body.get("quality")
    for name, column in (("points", points), ("values", values)):
        if not isinstance(column, list):
            raise BadFrame(400, "bad_shape", f"{name} is a list", f"/{name}")
    if qualities is not None and not isinstance(qualities, list):
        raise BadFrame(400, "bad_shape", "quality is a list", "/quality")
    assert isinstance(points, list)
    assert isinstance(values, list)
    lengths = {len(points), len(values)} | ({len(qualities)} if qualities is not None else set())
    if len(lengths) > 1:
        raise BadFrame(400, "length_mismatch", f"columns of different lengths: {sorted(lengths)}", "/values")
    _bounded(len(points))
    for index, (point, value) in enumerate(zip(points, values, strict=True)):
        row = {"point": point, "time": body.get("time"), "value": value}
        if qualities is not None:
            row["quality"] = qualities[index]
        yield _Place("/", f"/{index}", _COLUMN), row


def _only(body: dict[str, Any], known: set[str]) -> None:
    for name in body:
        if name not in known:
            raise BadFrame(400, "unknown_member", f"a frame has {', '.join(sorted(known))}", "/" + escaped(name))


def _bounded(count: int) -> None:
    if count > ITEM_LIMIT:
        raise BadFrame(413, "too_many_items", f"at most {ITEM_LIMIT} readings at once")
