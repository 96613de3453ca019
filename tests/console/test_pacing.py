"""A page is woken soon, rarely, and once more when all has settled."""

from itertools import pairwise

from services.console.domain.pacing import EVERY_S, SETTLED_S, SOON_S, Pace
from services.console.fragments import KEPT_S


def wakes(*heard: float, until: float = 30.0) -> list[float]:
    """When a page is woken that hears of alarms at these times."""
    pace, told, now, rest = Pace(), [], 0.0, list(heard)
    while now < until:
        while rest and rest[0] <= now:
            pace.hear("alarms", rest.pop(0))
        if pace.take(now):
            told.append(now)
        now = round(now + 0.01, 2)
    return told


def test_a_calm_page_is_not_woken():
    assert wakes() == []
    assert Pace().due() is None


def test_one_change_wakes_soon_and_once_more_when_it_has_settled():
    first, last = wakes(1.0)

    assert 1.0 < first <= 1.0 + SOON_S + 0.02
    assert last >= 1.0 + SETTLED_S


def test_a_page_that_begins_looks_once_more_when_what_it_may_have_missed_has_settled():
    pace = Pace()
    pace.begin(("alarms", "cases"), 10.0)

    assert pace.take(10.0 + KEPT_S) == ()
    assert pace.take(10.0 + SETTLED_S) == ("alarms", "cases")
    assert pace.due() is None


def test_what_a_page_hears_as_it_begins_is_told_soon():
    pace = Pace()
    pace.begin(("alarms",), 10.0)
    pace.hear("alarms", 11.4)

    assert pace.take(10.0 + SETTLED_S) == ("alarms",)
    assert pace.due() == 10.0 + SETTLED_S + EVERY_S


def test_a_flood_wakes_at_most_every_two_seconds():
    told = wakes(*(each / 100 for each in range(1000)))

    assert all(later - sooner > EVERY_S - 0.001 for sooner, later in pairwise(told))
    assert len(told) <= 10 / EVERY_S + 3


def test_the_last_wake_comes_after_the_last_change_has_settled():
    for last in (0.5, 1.9, 2.2, 2.31, 3.999):
        assert wakes(0.0, last)[-1] >= last + SETTLED_S


def test_a_wake_names_what_changed_since_the_last_one():
    pace = Pace()
    pace.hear("cases", 0.0)
    pace.hear("alarms", 0.0)

    assert pace.take(0.1) == ()
    assert pace.take(0.5) == ("alarms", "cases")

    pace.hear("cases", 2.4)

    assert pace.take(2.6) == ("alarms", "cases")
    assert pace.take(5.0) == ("cases",)
