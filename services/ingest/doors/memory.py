"""The last identities that the bus acknowledged, to answer "duplicate": a courtesy, never the promise."""

from collections import OrderedDict
from uuid import UUID

from services.ingest.metrics import DOOR_REMEMBERED

ROOM = 200_000  # about 30 MB


class Memory:
    """Identities with the digest of their content, oldest forgotten first."""

    def __init__(self, room: int = ROOM) -> None:
        self._known: OrderedDict[UUID, str] = OrderedDict()
        self._room = room

    def digest(self, identity: UUID) -> str | None:
        """The digest it was acknowledged with, None where it is not remembered."""
        return self._known.get(identity)

    def forget(self) -> None:
        """All of them: the log that acknowledged them may be another one now, and lack them."""
        self._known.clear()
        DOOR_REMEMBERED.set(0)

    def keep(self, identity: UUID, digest: str) -> None:
        """Only after the broker's acknowledgement: a push that failed can always be sent again."""
        self._known[identity] = digest
        if len(self._known) > self._room:
            self._known.popitem(last=False)
        DOOR_REMEMBERED.set(len(self._known))
