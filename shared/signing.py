"""Whoever holds a home signs its staff's tokens, with one key made once; its public half is for every service."""

import os
import time
import warnings
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, OKPKey

ISSUER = "fengsui"  # as shared.access demands, which would bring a whole web framework with it
ALGORITHM = "EdDSA"
CURVE: Final = "Ed25519"
PRIVATE, PUBLIC = "token_key.json", "jwks.json"


class Garbled(Exception):
    """The file holds no key of ours; it is never silently made anew."""


def ensure_keys(folder: Path) -> dict[str, Any]:
    """Makes the key where there is none, and publishes its public half beside it; that half."""
    published = dict(KeySet([_key(folder)]).as_dict(private=False))
    public, file = orjson.dumps(published), folder / PUBLIC
    if not file.exists() or file.read_bytes() != public:
        _draft(file, public).replace(file)
    return published


def mint(folder: Path, name: str, role: str, region: str, seconds: float, enterprise: str | None = None) -> str:
    """A token that says who its bearer is, for so long; whether that is true is for the caller to know."""
    key, now = _key(folder), int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": name,
        "role": role,
        "region": region,
        "enterprise": enterprise,
        "iat": now,
        "exp": now + round(seconds),
    }
    with warnings.catch_warnings():  # RFC 9864 renames EdDSA; most verifiers still know it by this name only
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def _key(folder: Path) -> OKPKey:
    file = folder / PRIVATE
    if not file.exists():
        _make(file)
    try:
        key = OKPKey.import_key(orjson.loads(file.read_bytes()))
        if key.is_private and key.curve_name == CURVE and key.kid:
            return key
    except (ValueError, TypeError, KeyError, JoseError):
        pass
    raise Garbled(str(file))


def _make(file: Path) -> None:
    made = OKPKey.generate_key(CURVE, auto_kid=True).as_dict(private=True)
    draft = _draft(file, orjson.dumps(made))
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # another starter was first, and its key stands
    finally:
        draft.unlink()


def _draft(file: Path, content: bytes) -> Path:
    """The content beside the file, for its owner only."""
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return Path(stream.name)
