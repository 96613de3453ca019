"""What a point read before its alarm: the last sixty readings, in order, whatever came twice or too late."""

from services.ingest.domain.limits import Limits
from services.ingest.domain.recent import SHOWN, STALE_US, Recent
from shared.events.readings import FrameData

LIMITS = {point: Limits(h=80.0) for point in ("T-1", "T-2", "T-3")} | {"free": Limits()}
NOTHING = FrameData(points=(), times=(), values=(), good=())


def frame(*readings: tuple[str, int, float | None], good: bool = True) -> FrameData:
    return FrameData(
        points=tuple(point for point, _, _ in readings),
        times=tuple(at for _, at, _ in readings),
        values=tuple(value for _, _, value in readings),
        good=(good,) * len(readings),
    )


def heard(*frames: FrameData, most_points: int = 100) -> Recent:
    recent = Recent(most_points)
    for each in frames:
        recent.hear("A", LIMITS, each)
    return recent


def test_earlier_readings_and_those_of_the_frame_come_in_order() -> None:
    recent = heard(frame(("T-1", 1, 10.0), ("T-2", 1, 99.0)), frame(("T-1", 2, 20.0)))

    shown = recent.until("A", "T-1", 4, frame(("T-1", 4, 40.0), ("T-1", 3, 30.0), ("T-2", 3, 99.0), ("T-1", 5, 50.0)))

    assert shown == [(1, 10.0), (2, 20.0), (3, 30.0), (4, 40.0)]


def test_no_more_than_sixty_are_shown_and_the_newest_of_them() -> None:
    recent = heard(*(frame(("T-1", at, float(at))) for at in range(500)))

    shown = recent.until("A", "T-1", 500, frame(("T-1", 500, 500.0)))

    assert [at for at, _ in shown] == list(range(501 - SHOWN, 501))


def test_what_comes_again_is_shown_once() -> None:
    stream = [frame(("T-1", 1, 10.0)), frame(("T-1", 2, 20.0))]

    recent = heard(*stream, *stream)

    assert recent.until("A", "T-1", 2, stream[1]) == [(1, 10.0), (2, 20.0)]


def test_bad_readings_and_those_without_a_value_are_not_shown() -> None:
    recent = heard(frame(("T-1", 1, None)), frame(("T-1", 2, 20.0), good=False))

    assert recent.until("A", "T-1", 9, NOTHING) == []


def test_a_point_without_limits_is_not_remembered() -> None:
    recent = heard(frame(("free", 1, 10.0), ("unknown", 1, 10.0)))

    assert recent.until("A", "free", 9, NOTHING) == recent.until("A", "unknown", 9, NOTHING) == []


def test_another_enterprise_of_the_same_names_is_another() -> None:
    recent = heard(frame(("T-1", 1, 10.0)))

    assert recent.until("B", "T-1", 9, NOTHING) == []


def test_when_it_is_full_the_silent_give_way_and_those_at_work_stay() -> None:
    recent = heard(frame(("T-1", 1, 10.0), ("T-2", 1, 10.0)), most_points=2)

    recent.hear("B", LIMITS, frame(("T-1", 2, 20.0)))
    crowded = recent.until("B", "T-1", 9, NOTHING)
    recent.hear("B", LIMITS, frame(("T-1", STALE_US + 10, 30.0)))

    assert crowded == []
    assert recent.until("B", "T-1", STALE_US + 10, NOTHING) == [(STALE_US + 10, 30.0)]
    assert recent.until("A", "T-1", 9, NOTHING) == []
