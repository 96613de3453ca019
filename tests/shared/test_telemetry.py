"""What a process says of itself never stops it."""

import subprocess
import sys
from pathlib import Path

FULL = Path("/dev/full")
SAYS = """
import sys
from shared import telemetry
telemetry.start_logs("hazards", "info")
try:
    raise KeyError("unit")
except KeyError:
    for _ in range(2000):
        telemetry.log.exception("job_failed", job="relay")
print("goes on", file=sys.stderr)
"""


def test_a_log_that_finds_the_disk_full_stops_nothing() -> None:
    with FULL.open("w") as full:
        ran = subprocess.run([sys.executable, "-c", SAYS], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert ran.stderr.splitlines()[0] == "goes on"


def test_what_is_said_stands_in_the_log() -> None:
    ran = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True)

    assert ran.stdout.count('"event": "job_failed"') == 2000
