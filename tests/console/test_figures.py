"""The statistics page's folding: a sum is the sum of its parts, a mean is of all that was measured."""

from datetime import date

from services.console.domain.figures import Figure, Measure, folded, line_of, period, plotted, total

TODAY = date(2026, 11, 25)
ROWS = [
    {"region": "220203", "alarms": 3, "seconds_to_close": {"count": 2, "sum": 120.0, "max": 90.0}},
    {"region": "220211", "alarms": 4, "seconds_to_close": {"count": 1, "sum": 180.0, "max": 180.0}},
    {"region": "220102", "alarms": 1, "seconds_to_close": {"count": 0, "sum": 0.0, "max": 0.0}},
]


def test_rows_are_summed_under_their_name() -> None:
    lines = folded(ROWS, lambda row: row["region"][:4])
    assert {name: line[Measure.ALARMS].count for name, line in lines.items()} == {"2202": 7, "2201": 1}
    assert lines["2202"][Measure.SECONDS_TO_CLOSE] == Figure(3, 300.0, 180.0)


def test_the_total_is_that_of_all_rows() -> None:
    assert total(map(line_of, ROWS))[Measure.ALARMS].count == 8
    assert total([])[Measure.CASES_OPEN] == Figure()


def test_a_duration_is_drawn_as_its_mean_in_minutes_and_as_nothing_where_none_was_measured() -> None:
    lines = folded(ROWS, lambda row: row["region"])
    assert plotted(lines["220203"], Measure.SECONDS_TO_CLOSE) == 1.0
    assert plotted(lines["220102"], Measure.SECONDS_TO_CLOSE) is None
    assert plotted({}, Measure.ALARMS) == 0


def test_a_period_is_thirty_days_unless_it_is_asked_otherwise() -> None:
    assert len(period(None, None, TODAY).days) == 30
    assert period(None, None, TODAY, 7).days[0] == "2026-11-19"
    assert period(None, date(2026, 3, 1), TODAY, 7).days[0] == "2026-02-23"


def test_days_that_are_the_wrong_way_round_are_turned_and_too_many_are_cut() -> None:
    turned = period(date(2026, 11, 9), date(2026, 11, 1), TODAY)
    assert (turned.first, turned.last) == (date(2026, 11, 1), date(2026, 11, 9))
    assert len(period(date(1990, 1, 1), TODAY, TODAY).days) == 366
