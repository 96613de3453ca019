"""The demo is judged by the platform's own engine."""

from collections.abc import Callable, Iterable

import pytest

from deploy.demo.province import Point
from services.ingest.domain.engine import Crossing, PointStates, decide
from services.ingest.domain.limits import Limits
from shared.events.readings import FrameData

Judge = Callable[[Point, Iterable[tuple[int, float]]], list[Crossing]]


@pytest.fixture(scope="session")
def judge() -> Judge:
    """What the engine makes of a point's readings, given as (Unix second, value)."""

    def judged(point: Point, sent: Iterable[tuple[int, float]]) -> list[Crossing]:
        delay = point.delay_s * 1_000_000
        limits = Limits(point.ll, point.l, point.h, point.hh, point.deadband, delay, delay)
        times, values = zip(*((at * 1_000_000, value) for at, value in sent), strict=True)
        same, good = (point.point,) * len(times), (True,) * len(times)
        frame = FrameData(points=same, times=times, values=values, good=good)
        return decide(PointStates(), {point.point: limits}, frame)

    return judged
