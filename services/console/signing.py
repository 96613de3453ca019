"""Tokens in a visitor's name for the services' APIs: minutes long, and made again at half their time."""

import time
from pathlib import Path
from typing import Any, Final

from shared.access import Staff
from shared.signing import ensure_keys, mint

LASTS_S: Final = 300.0


class Signer:
    """Signs with the key of the home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "secrets"
        self._held: dict[tuple[bytes, Staff], tuple[float, str]] = {}

    def published(self) -> dict[str, Any]:
        """The public half, as a JWK set."""
        return ensure_keys(self._folder)

    def token(self, session: bytes, staff: Staff) -> str:
        """A token that holds for at least half of its time."""
        now = time.monotonic()
        made, token = self._held.get((session, staff), (0.0, ""))
        if not token or now - made > LASTS_S / 2:
            self._held = {who: held for who, held in self._held.items() if now - held[0] <= LASTS_S / 2}
            token = mint(self._folder, staff.name, staff.role, staff.region, LASTS_S, staff.enterprise)
            self._held[session, staff] = now, token
        return token
