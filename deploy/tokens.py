"""Whoever holds a home signs its staff's tokens, with one key made once; its public half is for every service."""

import os
import time
import warnings
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, OKPKey

from deploy.local import secrets
from deploy.refusal import Refusal

ISSUER = "fengsui"  # as shared.access demands, which would bring a whole web framework with it
ALGORITHM = "EdDSA"
CURVE: Final = "Ed25519"

GARBLED = "{file} is garbled: put the saved copy back; removing it makes every token given so far worthless"


def ensure_keys(home: Path) -> None:
    """Makes the key where there is none, and publishes its public half in HOME/secrets/jwks.json."""
    public = orjson.dumps(KeySet([_key(home)]).as_dict(private=False))
    file = secrets.folder(home) / "jwks.json"
    if not file.exists() or file.read_bytes() != public:
        _draft(file, public).replace(file)


def mint(home: Path, name: str, role: str, region: str, hours: float = 12, enterprise: str | None = None) -> str:
    """A token that says who its bearer is, for so many hours; whether that is true is for the caller to know."""
    ensure_keys(home)
    key, now = _key(home), int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": name,
        "role": role,
        "region": region,
        "enterprise": enterprise,
        "iat": now,
        "exp": now + round(hours * 3600),
    }
    with warnings.catch_warnings():  # RFC 9864 renames EdDSA; most verifiers still know it by this name only
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def _key(home: Path) -> OKPKey:
    file = secrets.folder(home) / "token_key.json"
    if not file.exists():
        _make(file)
    try:
        key = OKPKey.import_key(orjson.loads(file.read_bytes()))
        if key.is_private and key.curve_name == CURVE and key.kid:
            return key
    except (ValueError, TypeError, KeyError, JoseError):
        pass
    raise Refusal(GARBLED.format(file=file))


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
