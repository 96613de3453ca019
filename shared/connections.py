"""A connection that uvloop has closed is a broken one to aiokafka, so that what waits for it is told.

uvloop answers a write on a closed transport with RuntimeError, aiokafka expects OSError (aio-libs/aiokafka#1038).
When a broker dies all connections of a client close in one turn of the loop: whichever task writes meanwhile ends by
that error, be it the one that keeps the metadata (whoever asks for offsets then waits for ever, while open partitions
are fetched on) or the one that keeps the client in its group.
"""

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError, KafkaError


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]
    """As the library's, under uvloop."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """What the library's answers; a closed transport is closed for good, and raises KafkaConnectionError."""
        try:
            return super().send(request, expect_response)
        except KafkaError:  # a RuntimeError as well
            raise
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(f"connection to {self.host}:{self.port} closed: {error}") from error


def mend_connections() -> None:
    """Every client made from now on connects so."""
    conn.AIOKafkaConnection = Connection
