"""What only this home knows is made once, kept under HOME/secrets, and never silently made anew when it is garbled."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from deploy.refusal import Refusal

GARBLED = "{file} is garbled: put the saved copy back; removing it locks this home out of its own data"
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\n")


def folder(home: Path) -> Path:
    place = home / "secrets"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.chmod(0o700)
    return place


def password(home: Path, role: str) -> str:
    """The password of one PostgreSQL role, 192 bits."""
    return _kept(folder(home) / f"postgres.{role}", 24)


def cluster_id(home: Path) -> str:
    """Kafka's cluster id: 16 bytes in URL-safe base64, as its storage tool makes them."""
    return _kept(folder(home) / "kafka.cluster", 16)


def _kept(file: Path, size: int) -> str:
    if not file.exists():
        _create(file, size)
    text = file.read_text(errors="replace")
    if not _TOKEN.fullmatch(text) or len(text) - 1 != -(-size * 4 // 3):
        raise Refusal(GARBLED.format(file=file))
    return text.strip()


def _create(file: Path, size: int) -> None:
    token = secrets.token_urlsafe(size)
    while token.startswith("-"):  # a command line would take it for an option
        token = secrets.token_urlsafe(size)
    with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.") as draft:  # 0600 by itself
        draft.write(token + "\n")
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):  # another starter was first, and its token stands
            os.link(draft.name, file)
