"""Which regions the rosters' page shows first, and how it counts them."""

from typing import Any

from services.console.domain.duties import Summary, order, summary, unmanned

AT = "2026-11-25T08:00:00+00:00"


def _team(region: str, *gaps: tuple[str, str]) -> dict[str, Any]:
    return {"region": region, "gaps": [{"start": start, "end": end, "reason": "nobody_on_duty"} for start, end in gaps]}


NOW = _team("220203", (AT, "2026-11-25T12:00:00+00:00"))
LATER = _team("220102", ("2026-11-26T00:00:00+08:00", "2026-11-26T01:00:00+08:00"))
FULL = _team("220101")


def test_a_gap_counts_from_its_first_moment_until_just_before_its_last() -> None:
    assert unmanned(NOW, AT)
    assert unmanned(NOW, "2026-11-25T19:59:59+08:00")
    assert not unmanned(NOW, "2026-11-25T20:00:00+08:00")
    assert not unmanned(LATER, AT)


def test_regions_are_counted_as_manned_unmanned_and_with_a_gap_ahead() -> None:
    assert summary([NOW, LATER, FULL], AT) == Summary(manned=2, unmanned=1, ahead=1)


def test_the_earliest_gap_comes_first_and_the_manned_last() -> None:
    assert order([FULL, LATER, NOW]) == [NOW, LATER, FULL]
