"""A relay alone in its process, so that a test can freeze or kill it: DSN, bootstrap servers, service."""

import asyncio
import sys

from shared import outbox
from shared.producer import Producer

IDLE = "3s"


async def main(dsn: str, kafka: str, service: str) -> None:
    """Until killed."""
    outbox.FROZEN_AFTER = IDLE
    await outbox.Relay(dsn, service, Producer(kafka, service)).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
