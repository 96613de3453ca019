"""The fault test in its short form: some minutes of kills, pauses, cut lines and rebalances, and the books balance."""

import tempfile
from pathlib import Path

import pytest

from bench.chaos.rules import copied
from bench.chaos.run import Order, Run

SEED = 20
ORDER = Order(minutes=1.5, seed=SEED, rate=60.0, enterprises=4, mild=True, pause_s=4.0, longest_s=5.0, settle_s=240.0)


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_while_everything_breaks() -> None:
    with tempfile.TemporaryDirectory(prefix="fc-") as folder:
        Path(folder).chmod(0o755)
        copied(Path(folder))

        result = await Run(ORDER, Path(folder)).carry_out()

    assert result["wrong"] == []
    assert result["unsettled"] == {}
    assert result["kills"] >= 5
    assert len(result["faults"]) >= 5, result["faults"]
    assert result["counts"]["acknowledged"] > 500
    assert result["counts"]["taken"] > 500
