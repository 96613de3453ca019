"""A key is read, and known again by its hash alone."""

import pytest

from services.ingest.domain.keys import Key, fits, hashed, read_key

KEY = Key("abcdefgh", "0123456789" * 4)


def test_a_key_is_read_as_it_is_written():
    assert read_key(str(KEY)) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fs",
        "fs__",
        str(KEY)[:-1],
        str(KEY) + "0",
        str(KEY).upper(),
        "fs_abc_" + "0" * 40,
        "é" + str(KEY),
    ],
)
def test_what_is_no_key_has_no_parts(text):
    assert read_key(text) is None


def test_a_secret_fits_its_hash_and_no_other():
    stored = hashed(KEY.secret)

    assert fits(KEY.secret, stored)
    assert not fits(KEY.secret[::-1], stored)
    assert KEY.secret.encode() not in stored
