"""Evidence on disk: named by its hash, whole or not at all, readable by the console only."""

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

FLOOR: Final = 2 * 1024**3
"""Bytes that stay free: on one machine the bus and the database live on the same disk, and alarms go first."""


class Files:
    """The folder HOME/evidence, which all replicas share."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "evidence"

    def room(self) -> bool:
        """Whether there is room for another file."""
        return shutil.disk_usage(self._folder.parent).free > FLOOR

    def path(self, sha256: bytes) -> Path:
        """Where a content lies."""
        name = sha256.hex()
        return self._folder / name[:2] / name

    def keep(self, sha256: bytes, content: bytes) -> None:
        """Writes a content, safe against a crash in the middle; the same one again is there already."""
        place = self.path(sha256)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=place.parent, prefix=".", delete=False) as draft:  # 0600 by itself
            try:
                draft.write(content)
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).replace(place)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
