"""How much is pushed in each measurement."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Counts are of alarms unless they say otherwise."""

    batched: int = 30_000
    single: int = 10_000
    loads: tuple[int, ...] = (100, 300, 1_000)
    """Offered alarms a second, beside 80 % of the maximum."""
    seconds: float = 15
    frames: tuple[int, int] = (1_000, 2_000)
    """Over 1,000 and over 100,000 points; the latter twice over all."""
    ledgers: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    onto_ledger: int = 10_000
    lag: int = 10_000
    replicas: tuple[int, ...] = (1, 2, 4)
    alertmanager: int = 10_000
    alerta: int = 1_000
    records: int = 50_000


FULL = Scale()
QUICK = Scale(
    batched=3_000,
    single=1_500,
    loads=(100, 500),
    seconds=4,
    frames=(200, 1_000),
    ledgers=(1_000, 20_000),
    onto_ledger=2_000,
    lag=3_000,
    replicas=(1, 2),
    alertmanager=2_000,
    alerta=200,
    records=10_000,
)
