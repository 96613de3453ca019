"""API keys: shown once, kept as a hash behind a prefix by which they are found."""

import hmac
from hashlib import sha256
from typing import NamedTuple


class Key(NamedTuple):
    """A key as the enterprise holds it: `fs_<prefix>_<secret>`."""

    prefix: str
    secret: str

    def __str__(self) -> str:
        return f"fs_{self.prefix}_{self.secret}"


def read_key(text: str) -> Key | None:
    """The parts of a key, None when it is not one."""
    head, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    well_formed = head == "fs" and len(prefix) == 8 and len(secret) == 40 and text.isascii()
    return Key(prefix, secret) if well_formed else None


def hashed(secret: str) -> bytes:
    """What is stored. 160 random bits need no slow hash."""
    return sha256(secret.encode()).digest()


def fits(secret: str, stored: bytes) -> bool:
    """Whether a secret is the stored one, in the same time for every wrong one."""
    return hmac.compare_digest(hashed(secret), stored)
