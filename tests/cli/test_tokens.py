"""A token that a home has signed holds at every service, and nobody else's does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from deploy.refusal import Refusal
from deploy.tokens import ensure_keys, mint
from shared.access import Staff, Tokens
from shared.problems import Problem
from shared.vocabulary import Role


def verifier(home: Path) -> Tokens:
    return Tokens(str(home / "secrets" / "jwks.json"))


async def test_a_minted_token_says_who_bears_it(tmp_path: Path):
    token = mint(tmp_path, "wang", "enterprise", "220203", enterprise="91220203000000012A")

    staff = await verifier(tmp_path).staff(token)

    assert staff == Staff("wang", Role.ENTERPRISE, "220203", "91220203000000012A")


async def test_a_token_of_another_home_does_not_hold(tmp_path: Path):
    ensure_keys(tmp_path / "ours")
    token = mint(tmp_path / "theirs", "wang", "admin", "220000")

    with pytest.raises(Problem) as refused:
        await verifier(tmp_path / "ours").staff(token)

    assert refused.value.status == 401


async def test_a_token_ends_with_its_hours(tmp_path: Path):
    token = mint(tmp_path, "wang", "admin", "220000", hours=-0.1)

    with pytest.raises(Problem) as refused:
        await verifier(tmp_path).staff(token)

    assert refused.value.status == 401


def test_the_key_is_made_once_and_only_its_public_half_is_published(tmp_path: Path):
    ensure_keys(tmp_path)
    key = (tmp_path / "secrets" / "token_key.json").read_bytes()
    ensure_keys(tmp_path)

    published = orjson.loads((tmp_path / "secrets" / "jwks.json").read_bytes())["keys"]
    assert (tmp_path / "secrets" / "token_key.json").read_bytes() == key
    assert [each["kid"] for each in published] == [orjson.loads(key)["kid"]]
    assert not any("d" in each for each in published)
    assert (tmp_path / "secrets" / "token_key.json").stat().st_mode & 0o777 == 0o600
    assert {file.name for file in (tmp_path / "secrets").iterdir()} == {"token_key.json", "jwks.json"}


def test_starters_at_the_same_time_agree_on_one_key(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_keys(tmp_path), range(8)))

    key = orjson.loads((tmp_path / "secrets" / "token_key.json").read_bytes())
    published = orjson.loads((tmp_path / "secrets" / "jwks.json").read_bytes())
    assert [each["kid"] for each in published["keys"]] == [key["kid"]]


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{}", b'{"kty":"OKP","crv":"Ed25519","x":"AA"}'])
def test_a_garbled_key_is_named_and_never_made_anew(tmp_path: Path, content: bytes):
    ensure_keys(tmp_path)
    file = tmp_path / "secrets" / "token_key.json"
    file.write_bytes(content)

    with pytest.raises(Refusal, match="garbled"):
        mint(tmp_path, "wang", "admin", "220000")

    assert file.read_bytes() == content
