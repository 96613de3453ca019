"""A body is bounded while it inflates, and says no key twice."""

import gzip
import zlib

import cramjam
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.doors.body import INFLATED_LIMIT, count_keys, find_repeated, gunzip, parse, repeated_keys, unzstd
from shared.problems import Problem

TEXT = orjson.dumps([{"id": str(number)} for number in range(1000)])


def zstd(raw: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(raw))


BOTH = pytest.mark.parametrize(("pack", "inflate"), [(gzip.compress, gunzip), (zstd, unzstd)])


def refusal(call, *given):
    with pytest.raises(Problem) as problem:
        call(*given)
    return problem.value.status, problem.value.code


@BOTH
def test_what_was_packed_comes_back(pack, inflate):
    assert inflate(pack(TEXT)) == TEXT


@BOTH
def test_every_member_counts(pack, inflate):
    assert inflate(pack(TEXT) + pack(b" ")) == TEXT + b" "


@BOTH
def test_sixteen_mebibytes_inflate_and_one_byte_more_is_too_large(pack, inflate):
    whole = bytes(INFLATED_LIMIT)

    assert len(inflate(pack(whole))) == INFLATED_LIMIT
    assert refusal(inflate, pack(whole + b"x")) == (413, "inflated_too_large")
    assert refusal(inflate, pack(whole) + pack(b"xy")) == (413, "inflated_too_large")


def test_a_bomb_is_cut_off():
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1024 * 1024)) for _ in range(256)) + bomb.flush()

    assert refusal(gunzip, packed) == (413, "inflated_too_large")
    assert refusal(unzstd, zstd(bytes(256 * 1024 * 1024))) == (413, "inflated_too_large")


def test_the_size_that_a_zstd_frame_claims_is_not_believed():
    magic, one_segment_with_eight_bytes_of_size = b"\x28\xb5\x2f\xfd", b"\xe0"
    claimed = magic + one_segment_with_eight_bytes_of_size + (10 * 1024**3).to_bytes(8, "little") + b"\x01\x00\x00"

    assert refusal(unzstd, claimed)[0] in {400, 413}


@BOTH
@pytest.mark.parametrize(
    "spoil",
    [lambda packed: packed[:-3], lambda packed: packed + b"junk", lambda packed: b"{}", lambda packed: b""],
    ids=["cut", "trailing", "plain", "empty"],
)
def test_what_is_not_packed_as_it_claims_is_refused(pack, inflate, spoil):
    given = spoil(pack(TEXT))

    if given or inflate is unzstd:
        assert refusal(inflate, given) == (400, "bad_encoding")


def test_a_wrong_checksum_is_refused():
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1

    assert refusal(gunzip, bytes(packed)) == (400, "bad_encoding")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"a":1} x', "bad_json"),
        (b'{"a":', "bad_json"),
        (b"[", "bad_json"),
        (b'{"a":"\\ud800"}', "bad_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "bad_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":"\xff"}', "not_utf8"),
        (b'{"a":"\xc0\xaf"}', "not_utf8"),
        ("隐患".encode("gbk"), "not_utf8"),
        ("{}".encode("utf-16"), "not_utf8"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(raw, code):
    assert refusal(parse, raw) == (400, code)


def test_an_item_that_says_a_key_twice_is_found_at_any_depth():
    raw = rb'[{"a":1,"b":"\"x\":"},{"a":1,"a":1},{"b":[{"c":{"d":1,"d":2}}]},{"d":"a"}]'
    body = parse(raw)

    assert repeated_keys(raw, count_keys(body))
    assert find_repeated(raw) == [False, True, True, False]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(body=JSON)
def test_whoever_says_no_key_twice_is_not_accused(body):
    raw = orjson.dumps(body)

    assert count_keys(parse(raw)) == count_keys(body)
    assert not any(find_repeated(raw))
