"""Whoever holds a home can speak for its staff: the home's key, and tokens for as many hours as are asked for."""

from pathlib import Path

from deploy.local import secrets
from deploy.refusal import Refusal
from shared import signing
from shared.signing import Garbled

GARBLED = "{file} is garbled: put the saved copy back; removing it makes every token given so far worthless"


def ensure_keys(home: Path) -> None:
    """Makes the key where there is none, and publishes its public half in HOME/secrets/jwks.json."""
    try:
        signing.ensure_keys(secrets.folder(home))
    except Garbled as garbled:
        raise Refusal(GARBLED.format(file=garbled)) from garbled


def mint(home: Path, name: str, role: str, region: str, hours: float = 12, enterprise: str | None = None) -> str:
    """A token that says who its bearer is, for so many hours; whether that is true is for the caller to know."""
    ensure_keys(home)
    return signing.mint(secrets.folder(home), name, role, region, hours * 3600, enterprise)
