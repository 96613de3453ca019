"""A request's body: bounded as it arrives and while it inflates, then JSON in UTF-8."""

import asyncio
import re
import zlib
from json import JSONDecoder
from typing import Any, Final

import cramjam
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from shared.problems import Problem

RAW_LIMIT: Final = 8 * 1024 * 1024
INFLATED_LIMIT: Final = 16 * 1024 * 1024
MEMBERS_LIMIT: Final = 16
STRUCTURE_LIMIT: Final = 1_000_000  # 10,000 events need a quarter of it
STRUCTURE_OF_ONE: Final = 200  # more than an event has
PATIENCE_S: Final = 30.0
_KEY_END: Final = re.compile(rb'"\s*:')


async def read(request: Request) -> bytes:
    """The body as JSON text in UTF-8 without BOM; raises Problem 400, 408, 413 or 415."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "", *INFLATERS):
        raise Problem(415, "unsupported_encoding", f"Content-Encoding may be {', '.join(INFLATERS)} or identity")
    try:
        async with asyncio.timeout(PATIENCE_S):
            raw = await _bounded(request)
    except TimeoutError:
        raise Problem(408, "too_slow", "the body did not arrive within 30 s", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise Problem(400, "incomplete", "the body ended early") from None
    if inflate := INFLATERS.get(coding):
        raw = inflate(raw)
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        raise Problem(400, "empty_body", "the body is empty")
    return raw


async def _bounded(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > RAW_LIMIT:
        raise _too_large()
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > RAW_LIMIT:
            raise _too_large()
        pieces.append(piece)
    return b"".join(pieces)


def _too_large() -> Problem:
    return Problem(413, "too_large", "at most 8 MiB at once", headers={"Connection": "close"})


def gunzip(raw: bytes) -> bytes:
    """All members of a gzip body, bounded together; each copies the rest, so they are few."""
    pieces: list[bytes] = []
    size = 0
    while raw:
        if len(pieces) == MEMBERS_LIMIT:
            raise Problem(400, "bad_encoding", f"at most {MEMBERS_LIMIT} gzip members")
        member = zlib.decompressobj(wbits=31)
        try:
            piece = member.decompress(raw, INFLATED_LIMIT - size + 1)
        except zlib.error as error:
            raise Problem(400, "bad_encoding", f"the body is not gzip: {error}") from None
        size += len(piece)
        if size > INFLATED_LIMIT or member.unconsumed_tail:
            raise _inflates_too_far()
        if not member.eof:
            raise Problem(400, "bad_encoding", "the gzip body ends early")
        pieces.append(piece)
        raw = member.unused_data
    return b"".join(pieces)


def unzstd(raw: bytes) -> bytes:
    """All frames of a zstd body, bounded together; the size that a frame claims is not believed."""
    room = bytearray(INFLATED_LIMIT + 1)
    try:
        size = cramjam.zstd.decompress_into(raw, room)
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise _inflates_too_far() from None
        raise Problem(400, "bad_encoding", f"the body is not zstd: {error}") from None
    if size > INFLATED_LIMIT:
        raise _inflates_too_far()
    return bytes(memoryview(room)[:size])


INFLATERS: Final = {"gzip": gunzip, "zstd": unzstd}


def _inflates_too_far() -> Problem:
    return Problem(413, "inflated_too_large", "at most 16 MiB after inflating")


def weight(raw: bytes) -> int:
    """How many events a body weighs by its brackets, colons and commas; raises Problem 413 where they are absurd."""
    structure = sum(raw.count(sign) for sign in (b"{", b"[", b":", b","))
    if structure > STRUCTURE_LIMIT:
        raise Problem(413, "too_many_members", "more brackets and members than any batch needs")
    return structure // STRUCTURE_OF_ONE


def parse(raw: bytes) -> Any:
    """JSON, with NaN and infinities let through for the item's own verdict; raises Problem 400."""
    try:
        return from_json(raw, allow_inf_nan=True, cache_strings="keys")
    except ValueError as error:
        sentence = str(error)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(400, "not_utf8", f"the body is not UTF-8 at byte {error.start}") from None
    if "recursion" in sentence:
        raise Problem(400, "too_deep", "nested deeper than 32 levels")
    raise Problem(400, "bad_json", sentence)


def repeated_keys(raw: bytes, keys: int) -> bool:
    """Whether an object may say a key twice, given how many keys its parser kept."""
    return len(_KEY_END.findall(raw)) > keys


def count_keys(value: object) -> int:
    """Keys of all objects in a value."""
    total, rest = 0, [value]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            total += len(each)
            rest.extend(inner for inner in each.values() if isinstance(inner, dict | list))
        elif isinstance(each, list):
            rest.extend(inner for inner in each if isinstance(inner, dict | list))
    return total


class _Twice(list[tuple[str, Any]]):
    """An object that says a key twice."""


def find_repeated(raw: bytes) -> list[bool]:
    """For each item of a list (or the one item), whether some object in it says a key twice; the slow, exact way."""

    def pairs(found: list[tuple[str, Any]]) -> Any:
        if len({name for name, _ in found}) < len(found) or any(_twice(value) for _, value in found):
            return _Twice(found)
        return dict(found)

    def _twice(value: Any) -> bool:
        return isinstance(value, _Twice) or (type(value) is list and any(map(_twice, value)))

    body = JSONDecoder(object_pairs_hook=pairs).decode(raw.decode("utf-8"))
    return [_twice(item) for item in body] if type(body) is list else [_twice(body)]
