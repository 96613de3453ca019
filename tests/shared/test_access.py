"""A token says who asks; what does not hold is refused with one text, and what a role may not do stays undone."""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet, OctKey, OKPKey
from starlette.requests import Request

from deploy.local import secrets
from deploy.tokens import ensure_keys, mint
from shared.access import RIGHTS, Staff, Tokens, bearer
from shared.problems import Problem
from shared.vocabulary import Role


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Path]:
    """A home with a signing key of its own."""
    ensure_keys(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield tmp_path


def tokens(office: Path) -> Tokens:
    return Tokens(str(secrets.folder(office) / "jwks.json"))


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"iss": "fengsui", "sub": "李四", "role": "officer", "region": "220203", "iat": now, "exp": now + 3600}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def signed(office: Path, **changes: Any) -> str:
    key = OKPKey.import_key(orjson.loads((secrets.folder(office) / "token_key.json").read_bytes()))
    return jwt.encode({"alg": "EdDSA", "kid": key.kid}, claims(**changes), key, algorithms=["EdDSA"])


async def refused(office: Path, token: str) -> Problem:
    with pytest.raises(Problem) as found:
        await tokens(office).staff(token)
    return found.value


async def test_a_token_names_its_bearer(office: Path) -> None:
    staff = await tokens(office).staff(mint(office, "张三", "enterprise", "220203", 1, "91220203MA00000015"))

    assert staff == Staff("张三", Role.ENTERPRISE, "220203", "91220203MA00000015")


async def test_an_expired_token_is_refused(office: Path) -> None:
    assert (await refused(office, mint(office, "张三", "admin", "220000", -1))).status == 401


async def test_a_token_signed_by_a_stranger_is_refused(office: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    assert (await refused(office, mint(elsewhere, "张三", "admin", "220000", 1))).status == 401


async def test_a_stranger_who_names_our_key_is_refused(office: Path) -> None:
    ours = orjson.loads((secrets.folder(office) / "jwks.json").read_bytes())["keys"][0]["kid"]
    theirs = OKPKey.generate_key("Ed25519")

    forged = jwt.encode({"alg": "EdDSA", "kid": ours}, claims(role="admin"), theirs, algorithms=["EdDSA"])

    assert (await refused(office, forged)).status == 401


async def test_the_published_key_is_no_shared_secret(office: Path) -> None:
    public = (secrets.folder(office) / "jwks.json").read_bytes()
    secret = OctKey.import_key(public)

    forged = jwt.encode({"alg": "HS256"}, claims(role="admin"), secret, algorithms=["HS256"])

    assert (await refused(office, forged)).status == 401


async def test_a_token_without_a_signature_is_refused(office: Path) -> None:
    head, body, _ = signed(office).split(".")

    for token in (f"{head}.{body}.", f"{head}.{body}", "", "a.b.c", "x" * 10_000):
        assert (await refused(office, token)).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"sub": None},
        {"role": None},
        {"region": None},
        {"iss": "another"},
        {"role": "emperor"},
        {"region": "110000"},
        {"region": "%"},
        {"region": ""},
        {"role": "enterprise"},
        {"role": "enterprise", "enterprise": ""},
    ],
)
async def test_a_token_that_lacks_or_invents_a_claim_is_refused(office: Path, changes: dict[str, Any]) -> None:
    assert (await refused(office, signed(office, **changes))).status == 401


async def test_every_refusal_reads_the_same(office: Path) -> None:
    texts = {
        (await refused(office, token)).body()
        for token in ("rubbish", signed(office, region="110000"), mint(office, "张三", "admin", "220000", -1))
    }

    assert len(texts) == 1


async def test_a_key_that_is_newer_than_ours_is_read(office: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    later, known = tmp_path_factory.mktemp("later"), tokens(office)
    await known.staff(mint(office, "张三", "admin", "220000", 1))
    token, public = mint(later, "李四", "viewer", "220000", 1), secrets.folder(office) / "jwks.json"
    both = [orjson.loads((secrets.folder(home) / "jwks.json").read_bytes())["keys"][0] for home in (office, later)]
    public.write_bytes(orjson.dumps(KeySet.import_key_set({"keys": both}).as_dict(private=False)))
    known._read_at -= 10  # a moment passes: the keys are not read again for every wrong token

    assert (await known.staff(token)).name == "李四"


async def test_keys_that_cannot_be_read_are_nobodys_fault(tmp_path: Path) -> None:
    with pytest.raises(Problem) as found:
        await Tokens(str(tmp_path / "nowhere.json")).staff("a.b.c")

    assert (found.value.status, found.value.code) == (503, "keys_unreachable")


@pytest.mark.parametrize(
    ("given", "credential"),
    [(["Bearer abc"], "abc"), (["bearer abc"], "abc"), (["BEARER abc"], "abc")],
)
def test_a_bearer_credential_is_found(given: list[str], credential: str) -> None:
    assert bearer(asking(given)) == credential


@pytest.mark.parametrize(
    "given", [[], [""], ["Basic abc"], ["Bearer"], ["Bearer "], ["Bearer  abc"], ["Bearer a", "Bearer b"]]
)
def test_anything_else_is_no_credential(given: list[str]) -> None:
    with pytest.raises(Problem) as found:
        bearer(asking(given))

    assert found.value.status == 401


def asking(given: list[str]) -> Request:
    headers = [(b"authorization", each.encode()) for each in given]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def test_whoever_submits_may_not_accept() -> None:
    both = RIGHTS["submit"] & RIGHTS["accept"]

    assert both == {Role.ADMIN}  # who is told apart by name, see the case's own rule


def test_a_viewer_only_reads() -> None:
    assert {right for right, roles in RIGHTS.items() if Role.VIEWER in roles} == {"read"}


def test_only_ops_and_admin_touch_keys_and_dead_letters() -> None:
    for right in ("keys", "dead_letters", "registry", "reconcile"):
        assert RIGHTS[right] == {Role.OPS, Role.ADMIN}


@pytest.mark.parametrize(
    ("region", "seen", "hidden"),
    [
        ("220203", ["220203"], ["220202", "220200", "220000", "220300"]),
        ("220200", ["220203", "220200"], ["220100", "220102", "220000"]),
        ("220000", ["220203", "220100", "220000"], ["110000"]),
    ],
)
def test_sight_ends_at_the_regions_border(region: str, seen: list[str], hidden: list[str]) -> None:
    staff = Staff("张三", Role.OFFICER, region)

    assert all(staff.sees(code, None) for code in seen)
    assert not any(staff.sees(code, None) for code in hidden)


def test_an_enterprise_sees_only_itself() -> None:
    staff = Staff("安全员", Role.ENTERPRISE, "220203", "91220203MA00000015")

    assert staff.sees("220203", "91220203MA00000015")
    assert not staff.sees("220203", "91350100M000100Y43")
    assert not staff.sees("220203", None)
