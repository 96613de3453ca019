"""The last resort of a process that can no longer do its job by itself: to end, and be started again."""

import os
from typing import Any

from shared import telemetry

CODE = 70  # EX_SOFTWARE of sysexits.h


def give_up(event: str, **fields: Any) -> None:
    """Ends the process at once, without its drain; whoever watches over us starts us again."""
    try:
        telemetry.log.critical(event, **fields)
    finally:
        os._exit(CODE)
