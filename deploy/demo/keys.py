"""The demo's secrets, keys of enterprises, webhook secrets and passwords, lie under HOME/demo for its owner."""

import base64
import csv
import hmac
import io
import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def read_keys(home: Path) -> dict[str, str]:
    """The enterprises' keys by credit code; empty before the first seeding."""
    return _read_pairs(_place(home, "keys.csv"))


def write_keys(home: Path, keys: Mapping[str, str]) -> None:
    _write_pairs(_place(home, "keys.csv"), keys)


def read_passwords(home: Path) -> dict[str, str]:
    """The passwords of the demo's accounts by name; empty before the first start."""
    return _read_pairs(_place(home, "logins.csv"))


def write_passwords(home: Path, passwords: Mapping[str, str]) -> None:
    _write_pairs(_place(home, "logins.csv"), passwords)


def phone_key(home: Path) -> bytes:
    """The secret from which every contact's own follows; made once."""
    place = _place(home, "phone.key")
    if not place.exists():
        _write(place, secrets.token_bytes(32))
    return place.read_bytes()


def secret_of(key: bytes, contact: str) -> str:
    """The contact's webhook secret, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(hmac.digest(key, contact.encode(), "sha256")).decode()


def _place(home: Path, name: str) -> Path:
    return home / "demo" / name


def _read_pairs(place: Path) -> dict[str, str]:
    try:
        text = place.read_text("utf-8")
    except FileNotFoundError:
        return {}
    return {name: secret for name, secret in csv.reader(io.StringIO(text))}


def _write_pairs(place: Path, pairs: Mapping[str, str]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(pairs.items())
    _write(place, text.getvalue().encode())


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_suffix(".new")
    with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    draft.replace(place)
