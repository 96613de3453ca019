"""Webhook secrets lie sealed in the database (AES-GCM), and the key that opens them lies outside it."""

import base64
import binascii
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12
_KEY: Final = 32


class Unreadable(Exception):
    """A secret does not open, or the key file is not one."""


class Seal:
    """Seals and opens secrets by the key in HOME/secrets/notify.key, which is made where there is none."""

    def __init__(self, home: Path) -> None:
        self._file = home / "secrets" / "notify.key"

    def seal(self, secret: str, contact: str) -> bytes:
        """The secret as it may be stored; it opens for this contact only."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), contact.encode())

    def open(self, sealed: bytes, contact: str) -> str:
        """The secret again; raises Unreadable."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], contact.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise Unreadable(f"the secret of {contact} was not sealed by the key in secrets/notify.key") from error

    @cached_property
    def _cipher(self) -> AESGCM:
        if not self._file.exists():
            self._make()
        try:
            key = base64.b64decode(self._file.read_bytes(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY:
            raise Unreadable("secrets/notify.key is garbled: put the saved copy back")
        return AESGCM(key)

    def _make(self) -> None:
        """Whole or not at all; where two begin at once, the first one's key stands."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._file.with_name(f".notify.key.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(base64.b64encode(secrets.token_bytes(_KEY)))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, self._file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()


def new_secret() -> str:
    """A secret in the form of Standard Webhooks, 192 bits."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
