"""A home's secrets are made once, and nobody else can read them."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import secrets
from deploy.refusal import Refusal


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_the_same_at_every_start(tmp_path: Path) -> None:
    first = secrets.password(tmp_path, "ingest_work"), secrets.cluster_id(tmp_path)

    second = secrets.password(tmp_path, "ingest_work"), secrets.cluster_id(tmp_path)

    assert first == second


def test_every_role_and_every_home_has_a_password_of_its_own(tmp_path: Path) -> None:
    homes = tmp_path / "a", tmp_path / "b"

    passwords = {secrets.password(home, role) for home in homes for role in ("ingest_work", "ingest_ask")}

    assert len(passwords) == 4


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    secrets.password(tmp_path, "ingest_work")

    assert mode(tmp_path / "secrets") == 0o700
    assert [mode(file) for file in (tmp_path / "secrets").iterdir()] == [0o600]


def test_the_cluster_id_is_sixteen_bytes_as_kafka_wants_them(tmp_path: Path) -> None:
    cluster = secrets.cluster_id(tmp_path)

    assert len(base64.urlsafe_b64decode(cluster + "==")) == 16
    assert not cluster.startswith("-")


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe\x00", b"a b" * 11])
def test_a_garbled_secret_is_named_and_never_made_anew(tmp_path: Path, content: bytes) -> None:
    secrets.password(tmp_path, "postgres")
    file = tmp_path / "secrets" / "postgres.postgres"
    file.write_bytes(content)

    with pytest.raises(Refusal, match=str(file)):
        secrets.password(tmp_path, "postgres")

    assert file.read_bytes() == content


def test_many_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        given = set(pool.map(lambda _: secrets.password(tmp_path, "notify_ask"), range(32)))

    assert len(given) == 1
