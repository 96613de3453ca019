"""Secrets are sealed by a key outside the database, for one contact each."""

import stat
from pathlib import Path

import pytest

from services.notify.sealing import Seal, Unreadable, new_secret


def test_a_sealed_secret_opens_again_and_shows_nothing(tmp_path: Path) -> None:
    secret = new_secret()

    sealed = Seal(tmp_path).seal(secret, "anna")

    assert secret.encode() not in sealed
    assert sealed != Seal(tmp_path).seal(secret, "anna")
    assert Seal(tmp_path).open(sealed, "anna") == secret


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    Seal(tmp_path).seal("x", "anna")

    assert stat.S_IMODE((tmp_path / "secrets" / "notify.key").stat().st_mode) == 0o600
    assert [each.name for each in (tmp_path / "secrets").iterdir()] == ["notify.key"]


def test_a_secret_opens_for_its_contact_and_its_key_only(tmp_path: Path) -> None:
    sealed = Seal(tmp_path / "one").seal("x", "anna")

    with pytest.raises(Unreadable):
        Seal(tmp_path / "one").open(sealed, "boris")
    with pytest.raises(Unreadable):
        Seal(tmp_path / "two").open(sealed, "anna")
    with pytest.raises(Unreadable):
        Seal(tmp_path / "one").open(sealed[:5], "anna")


def test_a_garbled_key_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    Seal(tmp_path).seal("x", "anna")
    file = tmp_path / "secrets" / "notify.key"
    file.write_bytes(file.read_bytes()[:-9])

    with pytest.raises(Unreadable, match="garbled"):
        Seal(tmp_path).seal("x", "anna")
