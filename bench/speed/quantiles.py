"""Latencies as few figures."""

from collections.abc import Sequence
from math import ceil
from typing import Final

SHOWN: Final = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The least value that so large a share does not exceed (nearest rank)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """The shown quantiles in milliseconds; nothing of nothing."""
    ordered = sorted(seconds)
    return {name: round(1000 * quantile(ordered, share), 1) for name, share in SHOWN.items()} if ordered else {}
