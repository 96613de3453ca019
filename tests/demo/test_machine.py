"""The real machine fails within the first minute, alarms a few times a round, and its file is the original."""

from collections import Counter
from hashlib import sha256
from importlib.resources import files

from deploy.demo import machine
from deploy.demo.province import by_slug, point_of
from deploy.demo.world import HISTORY_S, begin, readings

NOW = 1_790_000_000
OWNER = by_slug()[machine.ENTERPRISE]
TEMPERATURE = point_of(machine.ENTERPRISE, machine.POINT)


def test_the_data_lie_beside_their_licence_unchanged():
    nab = files("deploy.demo") / "data" / "nab"

    digest = sha256((nab / "machine_temperature_system_failure.csv").read_bytes()).hexdigest()

    assert digest == "92bf5b87fc7f9bba8ca0b7ec63ccaac8cb4a1371a258e8c29a10ae9c018d82a4"
    assert "Numenta" in (nab / "LICENSE.txt").read_text("utf-8")
    assert len(machine.temperatures()) == 22_695


def test_a_newcomer_sees_the_machine_fail_within_a_minute(judge):
    world = begin(NOW)

    sent = [r for r in readings(world, OWNER, NOW - HISTORY_S, NOW + 60) if r.point == machine.POINT]
    red = [c for c in judge(TEMPERATURE, [(r.at, r.value) for r in sent]) if c.level == "red"]

    assert [r.at for r in sent] == list(range(NOW - HISTORY_S + 1, NOW + 61))
    assert [(c.limit, c.state) for c in red] == [("LL", "raised")]
    assert red[0].at == 1_000_000 * (NOW + machine.FAILURE_ROW - machine.START_ROW)


def test_a_whole_round_raises_red_a_few_times_only(judge):
    raised = [c for c in judge(TEMPERATURE, enumerate(machine.temperatures())) if c.state == "raised"]

    by_limit = Counter(c.limit for c in raised)

    assert [c.at // 1_000_000 for c in raised if c.limit == "LL"] == [3965, machine.FAILURE_ROW]
    assert by_limit["LL"] + by_limit["HH"] <= 4
    assert by_limit["L"] + by_limit["H"] <= 12


def test_the_limits_are_where_the_distribution_says():
    point, rows = TEMPERATURE, machine.temperatures()
    assert point.ll is not None
    assert point.hh is not None

    reached_low = sum(value <= point.ll for value in rows) / len(rows)
    reached_high = sum(value >= point.hh for value in rows) / len(rows)

    assert 0.01 < reached_low < 0.02
    assert reached_high < 0.001


def test_after_the_last_row_comes_the_first():
    last = len(machine.temperatures()) - 1

    replayed = list(machine.replayed(last, NOW, NOW - 1, NOW + 2))

    assert [r.value for r in replayed] == [round(machine.temperatures()[row], 3) for row in (last, 0, 1)]
    assert [r.at for r in replayed] == [NOW, NOW + 1, NOW + 2]
