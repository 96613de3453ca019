"""axe is what its package holds, to the byte, and its licence lies beside it."""

import csv
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent


def test_axe_is_the_one_that_the_lock_names():
    with (HERE / "axe.lock.csv").open(newline="") as lock:
        (row,) = csv.DictReader(lock)

    assert sha256((HERE / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert "Mozilla Public License, version 2.0" in (HERE / "axe.licence.txt").read_text()
    assert row["licence"] == "MPL-2.0"
