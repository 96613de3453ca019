"""Whatever is pushed, the door says what is wrong with it, and the next good push is taken within a second."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import cramjam
import orjson
import psutil
import pytest

from services.ingest.doors.body import RAW_LIMIT
from tests.ingest.pushing import DATA, MANY, ONE, Plant, batch, fresh, head, line, raw_alarm
from tests.stack import alarm, hazard, now

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


@pytest.fixture(autouse=True)
async def the_door_goes_on(plant: Plant, neighbour: Plant) -> AsyncIterator[None]:
    """After each test the next good push of both enterprises is accepted within a second, and becomes a case."""
    yield
    pushed = [await each.goes_on() for each in (plant, neighbour)]
    await plant.arrive(*pushed)


@pytest.fixture(scope="module", autouse=True)
async def slow_pushers(plant: Plant) -> AsyncIterator[list[asyncio.Task[bytes]]]:
    """Two hundred who send a byte a second, while all other tests go on; what the door tells them."""

    async def push() -> bytes:
        async with line(plant) as door:
            await door.send(head(plant, "Content-Length: 100"))
            answer = asyncio.create_task(door.rest(60))
            while not answer.done():
                await door.send(b" ")
                await asyncio.sleep(1)
            return await answer

    tasks = [asyncio.create_task(push()) for _ in range(200)]
    yield tasks
    for task in tasks:
        task.cancel()


def zstd(raw: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(raw))


def gzip_bomb() -> bytes:
    """4 GiB of zeros in 4 MB: the deflated block of one mebibyte, again and again."""
    packer = zlib.compressobj(9, wbits=31)
    first = packer.compress(bytes(1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * 4095


GOOD = orjson.dumps([hazard("unsent")])

LAST = "Connection: close"
"""Asks the door to close after its answer. A pusher who shuts his own side first may be closed on before the answer."""


@pytest.mark.parametrize(
    ("raw", "media", "status", "code"),
    [
        (b"", MANY, 400, "empty_body"),
        (b"  \r\n ", MANY, 400, "empty_body"),
        (b'{"a":1} x', ONE, 400, "bad_json"),
        (b'{"a":', ONE, 400, "bad_json"),
        (b"[", MANY, 400, "bad_json"),
        (b'"x"', ONE, 400, "bad_shape"),
        (b"5", ONE, 400, "bad_shape"),
        (b"null", ONE, 400, "bad_shape"),
        (b"[]", ONE, 400, "bad_shape"),
        (b"{}", MANY, 400, "bad_shape"),
        (b"[]", MANY, 422, "nothing_valid"),
        (b"[" * 100_000, MANY, 400, "too_deep"),
        (b'[{"data":' + b"[" * 33 + b"]" * 33 + b"}]", MANY, 400, "too_deep"),
        (GOOD.decode().encode("utf-16"), MANY, 400, "not_utf8"),
        (GOOD.decode().encode("gbk"), MANY, 400, "not_utf8"),
        (b'[{"id":"\xc0\xaf"}]', MANY, 400, "not_utf8"),
        (b'[{"id":"\xff"}]', MANY, 400, "not_utf8"),
        (b'[{"id":"\\ud800"}]', MANY, 400, "bad_json"),
        (b'[{"id":' + b"9" * 5000 + b"}]", MANY, 400, "bad_json"),
        (GOOD, MANY + "; charset=gbk", 415, "unsupported_charset"),
        (GOOD, "text/plain", 415, "unsupported_media_type"),
        (GOOD, DATA, 415, "unsupported_media_type"),
        (GOOD, None, 415, "unsupported_media_type"),
        (b"[" + b"1," * 10_000 + b"1]", MANY, 413, "too_many_items"),
    ],
)
async def test_a_body_that_is_no_push_is_refused_whole(plant: Plant, raw, media, status, code):
    answer = await plant.post(raw, media)

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_refusal_of_broken_json_says_where(plant: Plant):
    answer = await plant.post(b'[{"a":1} x', MANY)

    assert "line 1 column 10" in answer.body["detail"]


async def test_a_refusal_of_the_content_type_says_what_is_taken(plant: Plant):
    answer = await plant.post(GOOD, "text/plain")

    assert all(each in answer.body["detail"] for each in (ONE, MANY))


@pytest.mark.parametrize(
    ("pack", "coding", "status", "code"),
    [
        (lambda raw: raw, "gzip", 400, "bad_encoding"),
        (lambda raw: gzip.compress(raw)[:-9], "gzip", 400, "bad_encoding"),
        (lambda raw: gzip.compress(raw)[:-5] + bytes(5), "gzip", 400, "bad_encoding"),
        (lambda raw: raw, "zstd", 400, "bad_encoding"),
        (lambda raw: zstd(raw)[:-3], "zstd", 400, "bad_encoding"),
        (lambda raw: raw, "br", 415, "unsupported_encoding"),
        (lambda raw: gzip.compress(gzip.compress(raw)), "gzip, gzip", 415, "unsupported_encoding"),
    ],
    ids=["plain", "cut", "checksum", "plain zstd", "cut zstd", "br", "gzip twice"],
)
async def test_an_encoding_that_does_not_hold_is_refused(plant: Plant, pack, coding, status, code):
    answer = await plant.post(pack(GOOD), Content_Encoding=coding)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("pack", "coding"),
    [
        (gzip.compress, "gzip"),
        (lambda raw: gzip.compress(raw[:20]) + gzip.compress(raw[20:]), "gzip"),
        (zstd, "zstd"),
        (lambda raw: raw, "identity"),
        (lambda raw: b"\xef\xbb\xbf" + raw, "identity"),
    ],
    ids=["gzip", "two members", "zstd", "identity", "byte order mark"],
)
async def test_an_encoding_that_holds_is_taken(plant: Plant, pack, coding):
    pushed = fresh()

    answer = await plant.post(pack(orjson.dumps([hazard(pushed)])), Content_Encoding=coding)

    assert (answer.status, answer.body["accepted"]) == (202, 1)
    await plant.arrive(pushed)


@pytest.mark.parametrize(
    ("bomb", "coding"), [(gzip_bomb, "gzip"), (lambda: zstd(bytes(1024**3)), "zstd")], ids=["gzip", "zstd"]
)
async def test_a_bomb_is_refused_and_takes_no_memory(plant: Plant, bomb, coding):
    process = psutil.Process(plant.stack.processes["ingest"].pid)
    raw, before = bomb(), process.memory_info().rss

    answer = await plant.post(raw, Content_Encoding=coding)

    assert (answer.status, answer.code) == (413, "inflated_too_large")
    assert process.memory_info().rss - before < 64 * 1024**2


async def test_a_body_that_is_declared_too_large_is_refused_before_it_comes(plant: Plant):
    async with line(plant) as door:
        await door.send(head(plant, "Content-Length: 100000000"))

        heard = await door.rest()

    assert heard.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_grows_too_large_is_refused_while_it_comes(plant: Plant):
    piece = b"100000\r\n" + bytes(1024 * 1024) + b"\r\n"
    async with line(plant) as door:
        await door.send(head(plant, "Transfer-Encoding: chunked"), *[piece] * (RAW_LIMIT // 1024**2 + 1))

        heard = await door.rest()

    assert heard.startswith(b"HTTP/1.1 413 ")


async def test_a_body_shorter_than_declared_is_not_taken(plant: Plant):
    pushed = fresh()
    body = orjson.dumps([hazard(pushed)])
    async with line(plant) as door:
        await door.send(head(plant, f"Content-Length: {len(body) + 1}"), body)
        door.end()

        heard = await door.rest()

    assert heard == b"" or heard.startswith(b"HTTP/1.1 400 ")
    assert await plant.effects(pushed) == [0]


async def test_what_follows_a_body_longer_than_declared_is_no_request(plant: Plant):
    body = orjson.dumps([hazard(fresh())])
    async with line(plant) as door:
        await door.send(head(plant, f"Content-Length: {len(body) - 1}"), body, b"GET / HTTP/1.1\r\n\r\n")

        heard = await door.rest()

    assert heard.count(b"HTTP/1.1 400 ") == heard.count(b"HTTP/1.1 ") > 0


async def test_a_body_with_two_lengths_is_refused(plant: Plant):
    body = orjson.dumps([hazard(fresh())])
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    async with line(plant) as door:
        await door.send(head(plant, f"Content-Length: {len(chunked)}", "Transfer-Encoding: chunked"), chunked)

        heard = await door.rest()

    assert heard.startswith(b"HTTP/1.1 400 ")
    assert heard.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "lines",
    [
        ["X-Long: " + "x" * 65 * 1024],
        ["X-Endless: " + "x" * 10 * 1024**2],
        [f"X-{number}: {'x' * 64}" for number in range(1000)],
        [b"X-Nul: a\x00b"],
        [b"X-Return: a\rb"],
        [b"X Space: a"],
    ],
    ids=["65 KiB", "10 MiB", "a thousand", "nul", "return", "space"],
)
async def test_a_head_that_no_client_needs_is_refused(plant: Plant, lines):
    async with line(plant) as door:
        await door.send(head(plant, *lines, "Content-Length: 2"), b"[]")

        heard = await door.rest()

    assert heard == b"" or heard.startswith(b"HTTP/1.1 400 ")  # a reset may overtake the answer


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic eDp5", "Bearer", "Bearer ", "Bearer x", "Bearer fs_abcdefgh_" + "0" * 40, "{key}", "Bearer {key}0"],
)
async def test_whoever_has_no_key_gets_one_answer(plant: Plant, authorization):
    expected = await plant.push(hazard("unsent"), Authorization="Bearer fs_zzzzzzzz_" + "f" * 40)

    answer = await plant.push(hazard("unsent"), Authorization=authorization.format(key=plant.key))

    assert (answer.status, answer.body) == (401, expected.body)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_known_key_with_a_wrong_secret_is_as_unknown_as_any(plant: Plant):
    expected = await plant.push(hazard("unsent"), Authorization="Bearer fs_zzzzzzzz_" + "f" * 40)

    answer = await plant.push(hazard("unsent"), Authorization=f"Bearer {plant.key[:-1]}x")

    assert (answer.status, answer.body) == (401, expected.body)


async def test_two_keys_at_once_are_none(plant: Plant, neighbour: Plant):
    async with line(plant) as door:
        await door.send(head(plant, f"Authorization: Bearer {neighbour.key}", "Content-Length: 2", LAST), b"[]")

        heard = await door.rest()

    assert heard.startswith(b"HTTP/1.1 401 ")


async def test_bearer_may_be_written_small(plant: Plant):
    pushed = fresh()

    answer = await plant.push(hazard(pushed), Authorization=f"bearer {plant.key}")

    assert answer.status == 202
    await plant.arrive(pushed)


def without(name: str) -> bytes:
    event = hazard(fresh())
    return orjson.dumps({key: value for key, value in event.items() if key != name})


def odd(**more: Any) -> bytes:
    """A hazard report with something odd about it."""
    return orjson.dumps(hazard(fresh()) | more)


def found(**data: Any) -> bytes:
    """A hazard report with something odd in its data."""
    return orjson.dumps(hazard(fresh(), data=data))


def ahead(**delta: int) -> str:
    return '"' + (datetime.now(UTC) + timedelta(**delta)).isoformat() + '"'


BAD_ITEMS = [
    (b'{"id":"a","id":"b"}', "duplicate_key", ""),
    (raw_alarm(message='"x"').replace(b'"message"', b'"point":"T-2","message"'), "duplicate_key", ""),
    (b"7", "bad_shape", ""),
    (without("id"), "missing_attribute", "/id"),
    (without("source"), "missing_attribute", "/source"),
    (without("type"), "missing_attribute", "/type"),
    (without("specversion"), "missing_attribute", "/specversion"),
    (odd(specversion="0.3"), "bad_specversion", "/specversion"),
    (odd(id=""), "bad_id", "/id"),
    (odd(id="x" * 1024**2), "bad_id", "/id"),
    (odd(id="x" * 257), "bad_id", "/id"),
    (odd(id="a\x00"), "bad_id", "/id"),
    (odd(id="  "), "bad_id", "/id"),
    (odd(source="a\r\nb"), "bad_source", "/source"),
    (odd(type="fengsui.alarm.v999"), "unknown_type", "/type"),
    (odd(type=[]), "unknown_type", "/type"),
    (odd(Enterprise="x"), "bad_attribute", "/Enterprise"),
    (odd(**{"data-x": "x"}), "bad_attribute", "/data-x"),
    (odd(a23456789012345678901="x"), "bad_attribute", "/a23456789012345678901"),
    (odd(data_base64="e30="), "bad_data", "/data_base64"),
    (odd(data_base64="!"), "bad_data", "/data_base64"),
    (odd(datacontenttype="text/xml"), "bad_data", "/datacontenttype"),
    *[(raw_alarm(value=text), "not_finite", "/data/value") for text in ("NaN", "Infinity", "-Infinity")],
    *[(raw_alarm(limit=text), "not_finite", "/data/limit") for text in ("1e999", "-1e999")],
    *[
        (raw_alarm(value=text), "not_a_number", "/data/value")
        for text in ('"1.5"', '"１２"', '"1_000"', '" 1 "', "true", "[1]")
    ],
    (found(title="\x00"), "nul_character", "/data/title"),
    (found(attachments=[{"url": "https://a/\x00", "sha256": "0" * 64}]), "bad_text", "/data/attachments/0/url"),
    (found(title="x" * 1024**2), "too_long", "/data/title"),
    (found(title=" \u3000"), "blank", "/data/title"),
    (found(severity=1), "unknown_member", "/data/severity"),
    *[
        (raw_alarm(time=text), "bad_time", "/time")
        for text in (
            '"2026-01-01T00:00:00"',
            '"2026-01-01"',
            '"2026-01-01T00:00Z"',
            '"2026-01-01T00:00:00+0800"',
            '"2026-01-01_00:00:00Z"',
            '"2026-01-01 00:00:00Z"',
            "1700000000",
            '"1700000000"',
            "1.7e12",
            '"2026-01-01T24:00:00Z"',
            '"2026-01-01T25:61:00Z"',
            '"2026-02-30T00:00:00Z"',
            '"2100-02-29T00:00:00Z"',
            '"2026-01-01T00:00:00+24:00"',
            '"2026-01-01T00:00:00.' + "1" * 40 + 'Z"',
            "null",
        )
    ],
    *[
        (raw_alarm(time=text), "time_out_of_range", "/time")
        for text in ('"0000-01-01T00:00:00Z"', '"9999-12-31T23:59:59-08:00"', '"0001-01-01T00:00:00+08:00"')
    ],
    (raw_alarm(time=ahead(days=1)), "time_in_future", "/time"),
    *[(raw_alarm(level=text), "bad_level", "/data/level") for text in ('"RED"', '"红"', '"purple"', "null")],
    (found(grade="重大"), "bad_grade", "/data/grade"),
    (raw_alarm(point='"X-1"'), "unknown_point", "/data/point"),
    (raw_alarm(point='"../../etc/passwd"'), "unknown_point", "/data/point"),
    (raw_alarm(point='"%2e%2e%2f"'), "unknown_point", "/data/point"),
    (raw_alarm(point='"' + "x" * 65 + '"'), "bad_point", "/data/point"),
]


@pytest.mark.parametrize(("item", "code", "pointer"), BAD_ITEMS, ids=[f"{each[1]}{each[2]}" for each in BAD_ITEMS])
async def test_a_bad_item_is_refused_and_the_good_ones_beside_it_are_taken(plant: Plant, item, code, pointer):
    good = [fresh(), fresh()]

    beside = await plant.post(batch(*(orjson.dumps(hazard(each)) for each in good), item))
    alone = await plant.post(batch(item))

    assert (beside.status, beside.body["accepted"], beside.rejected) == (202, 2, [(2, code)])
    assert beside.body["rejected"][0]["pointer"] == pointer
    assert (alone.status, alone.code, alone.rejected) == (422, "nothing_valid", [(0, code)])
    await plant.arrive(*good)


async def test_a_refusal_of_a_closed_list_says_the_list(plant: Plant):
    answer = await plant.post(batch(raw_alarm(level='"RED"'), odd(type="x")))

    level, kind = (each["detail"] for each in answer.body["rejected"])
    assert "red, orange, yellow, blue" in level
    assert "fengsui.alarm.v1, fengsui.hazard.v1, fengsui.heartbeat.v1" in kind


async def test_whoever_speaks_for_another_is_refused(plant: Plant, neighbour: Plant):
    good = fresh()
    item = odd(enterprise=neighbour.uscc)

    beside = await plant.post(batch(orjson.dumps(hazard(good)), item))
    alone = await plant.post(batch(item))

    assert (beside.status, beside.rejected) == (202, [(1, "not_yours")])
    assert (alone.status, alone.code, alone.rejected) == (403, "not_yours", [(0, "not_yours")])


async def test_anothers_point_is_as_unknown_as_none(plant: Plant, neighbour: Plant):
    await plant.stack.upload("ingest", "/v1/points/import", f"uscc,point,name\n{neighbour.uscc},N-1,测点\n")

    answer = await plant.push(alarm(fresh(), "N-1"), alarm(fresh(), "nowhere"))

    foreign, none = answer.body["rejected"]
    assert (foreign["code"], foreign["detail"]) == (none["code"], none["detail"]) == ("unknown_point", none["detail"])


ODD_ITEMS = [
    odd(id="../../etc/passwd"),
    odd(id="%2e%2e%2f"),
    odd(id="C:\\x|rm -rf"),
    odd(id="'; DROP TABLE cases;--"),
    found(title="<script>alert(1)</script>{{7*7}}${jndi:ldap}%s%n\r\nSubject: \u202e𠮷龘㐂"),
    raw_alarm(value="9007199254740993"),
    *[raw_alarm(value=text) for text in ("-0", "-0.0", "1e-400", "null")],
    raw_alarm(time=ahead(days=-400)),
    raw_alarm(time=ahead(minutes=4)),
    *[
        raw_alarm(time=text)
        for text in (
            '"2016-12-31T23:59:60Z"',
            '"2026-01-01T00:00:00-00:00"',
            '"2026-01-01T00:00:00+14:00"',
            '"2026-01-01T00:00:00.123456789Z"',
        )
    ],
]


@pytest.mark.parametrize("item", ODD_ITEMS)
async def test_an_item_that_is_odd_but_sane_is_taken_as_it_is(plant: Plant, item):
    answer = await plant.post(item, ONE)

    assert (answer.status, answer.body["accepted"]) == (202, 1), answer
    await plant.arrive(orjson.loads(item)["id"])


async def test_the_same_again_is_a_duplicate_and_other_content_is_refused(plant: Plant):
    pushed = fresh()
    event = hazard(pushed)

    answers = [await plant.push(each) for each in (event, event, event | {"data": event["data"] | {"title": "x"}})]

    assert [(a.status, a.body["accepted"], a.body["duplicates"]) for a in answers[:2]] == [(202, 1, 0), (202, 0, 1)]
    assert (answers[2].status, answers[2].rejected) == (422, [(0, "id_reused")])
    await plant.arrive(pushed)


async def test_the_same_id_fifty_times_in_a_batch_is_one(plant: Plant):
    pushed = fresh()

    answer = await plant.push(*[hazard(pushed)] * 50)

    assert (answer.body["accepted"], answer.body["duplicates"]) == (1, 49)
    await plant.arrive(pushed)


async def test_the_same_id_with_other_content_in_one_batch_is_refused_once(plant: Plant):
    pushed = fresh()

    answer = await plant.push(hazard(pushed), hazard(pushed, "另一标题"), hazard(pushed))

    assert (answer.body["accepted"], answer.body["duplicates"], answer.rejected) == (1, 1, [(1, "id_reused")])


async def test_ids_are_told_apart_byte_by_byte(plant: Plant):
    stem = fresh()
    ids = [stem + each for each in ("A", "a", "é", "e\u0301")]

    answer = await plant.push(*(hazard(each) for each in ids))

    assert answer.body["accepted"] == 4
    await plant.arrive(*ids)


async def test_two_enterprises_may_use_the_same_id(plant: Plant, neighbour: Plant):
    pushed = fresh()

    answers = [await each.push(hazard(pushed)) for each in (plant, neighbour)]

    assert [answer.body["accepted"] for answer in answers] == [1, 1]


def binary(pushed: str, **more: str) -> dict[str, str]:
    """Headers of a hazard report in binary mode."""
    return {
        "ce_specversion": "1.0",
        "ce_id": pushed,
        "ce_source": "//test/binary",
        "ce_type": "fengsui.hazard.v1",
    } | more


BINARY_DATA = orjson.dumps({"title": "管廊防火涂料脱落", "category": "fire"})


async def test_binary_mode_is_taken_and_decoded(plant: Plant):
    stem = fresh()

    answer = await plant.post(BINARY_DATA, DATA, **binary(stem + "%E4%B8%80", ce_subject="%E7%BD%90%E5%8C%BA"))

    assert (answer.status, answer.body["accepted"]) == (202, 1)
    await plant.arrive(stem + "一")


async def test_binary_mode_without_an_id_is_no_event(plant: Plant):
    answer = await plant.post(BINARY_DATA, DATA, **binary(""))

    assert (answer.status, answer.rejected) == (422, [(0, "missing_attribute")])


@pytest.mark.parametrize(
    "lines", [["ce-id: a", "ce-id: b"], ["ce-id: %FF"], [b"ce-id: \xe4\xb8\x80"]], ids=["twice", "no UTF-8", "bytes"]
)
async def test_binary_mode_with_a_blurred_attribute_is_refused(plant: Plant, lines):
    own = ["ce-specversion: 1.0", "ce-source: //test", "ce-type: fengsui.hazard.v1"]
    async with line(plant) as door:
        whole = head(plant, *own, *lines, f"Content-Length: {len(BINARY_DATA)}", LAST, media=DATA)
        await door.send(whole, BINARY_DATA)

        heard = await door.rest()

    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b"bad_attribute" in heard


def row(value: str = "1.5", point: str = '"T-1"', more: str = "", time: str | None = None) -> bytes:
    return f'{{"point":{point},"time":"{time or now()}","value":{value}{more}}}'.encode()


@pytest.mark.parametrize(
    ("bad", "code", "member"),
    [
        *[({"value": text}, "not_finite", "value") for text in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999")],
        *[({"value": text}, "not_a_number", "value") for text in ('"1.5"', '"１２"', '"1_000"', "true", "null", "[1]")],
        ({"point": '"X"'}, "unknown_point", "point"),
        ({"more": ',"quality":"GOOD"'}, "bad_quality", "quality"),
        ({"more": ',"quality":["good"]'}, "bad_quality", "quality"),
        ({"more": ',"unit":"℃"'}, "unknown_member", "unit"),
        ({"time": "2026/11/26T08:00:00Z"}, "bad_time", "time"),
    ],
    ids=str,
)
async def test_a_bad_reading_is_refused_and_the_good_one_beside_it_is_taken(plant: Plant, bad, code, member):
    beside = await plant.post(b'{"readings":[' + row() + b"," + row(**bad) + b"]}", DATA, "/v1/readings")
    alone = await plant.post(b'{"readings":[' + row(**bad) + b"]}", DATA, "/v1/readings")

    assert (beside.status, beside.body["accepted"], beside.rejected) == (202, 1, [(1, code)])
    assert beside.body["rejected"][0]["pointer"] == f"/readings/1/{member}"
    assert (alone.status, alone.code) == (422, "nothing_valid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b"[]", 400, "bad_shape"),
        (b'{"readings":[],"readings":[]}', 400, "duplicate_key"),
        (b'{"readings":' + b"[" * 33 + b"]" * 33 + b"}", 400, "too_deep"),
        (b'{"time":"2026-01-01T00:00:00Z","points":["T-1","T-2"],"values":[1,2,3]}', 400, "length_mismatch"),
        (b'{"time":"2026-01-01T00:00:00Z","points":["T-1"],"values":[1],"quality":[]}', 400, "length_mismatch"),
        (b'{"time":"2026-01-01T00:00:00Z","points":[],"values":[]}', 422, "nothing_valid"),
        (b'{"readings":[]}', 422, "nothing_valid"),
        (b'{"readings":[' + b"1," * 10_000 + b"1]}", 413, "too_many_items"),
    ],
)
async def test_a_frame_of_no_shape_is_refused_whole(plant: Plant, body, status, code):
    answer = await plant.post(body, DATA, "/v1/readings")

    assert (answer.status, answer.code) == (status, code)


async def test_a_frame_of_another_content_is_refused(plant: Plant):
    answer = await plant.post(b'{"readings":[]}', MANY, "/v1/readings")

    assert (answer.status, answer.code) == (415, "unsupported_media_type")


async def test_the_same_point_and_time_twice_is_counted_and_the_last_one_judged(plant: Plant):
    at = now()
    readings = [{"point": "L-1", "time": at, "value": 95}, {"point": "L-1", "time": at, "value": 50}]

    answer = await plant.frame({"readings": readings})

    assert (answer.status, answer.body["accepted"], answer.body["duplicates"]) == (202, 1, 1)


async def test_limits_that_contradict_each_other_are_refused_with_both_columns(plant: Plant):
    table = f"uscc,point,name,ll,h,deadband,on_delay_s\n{plant.uscc},L-9,测点,80,20,-1,1e12\n"
    headers = plant.stack.headers() | {"Content-Type": "text/csv"}

    url = plant.stack.url("ingest", "/v1/points/import")
    async with plant.stack.session.post(url, data=table.encode(), headers=headers) as answer:
        problem = await answer.json(content_type=None)

    assert (answer.status, problem["code"]) == (422, "bad_rows")
    assert {error["column"] for error in problem["errors"]} == {"ll", "h", "deadband", "on_delay_s"}


async def test_whoever_sends_a_byte_a_second_is_sent_away_and_held_nobody_up(slow_pushers: list[asyncio.Task[bytes]]):
    answers = await asyncio.gather(*slow_pushers)

    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 408 "}
