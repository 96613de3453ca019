"""Healthy points stay quiet, and the known faults cross the limits that the table says, when it says."""

import itertools
from collections import Counter, defaultdict

import pytest

from deploy.demo.faults import FAULTS, Expected, Fault, Kind, expected_alarms, observed
from deploy.demo.province import Point, by_slug, enterprises, point_of
from deploy.demo.pushed import LEAKS
from deploy.demo.signals import DAY_S, healthy, instants, shown

EPOCH = 1_790_000_123
HOUR = 3600

FAULTY = sorted({(fault.enterprise, fault.point) for fault in FAULTS if fault.point != "*"})


def simulated() -> list[Point]:
    return [point for e in enterprises() for point in e.points if point.usual is not None]


def sent(point: Point, since: int, until: int) -> list[tuple[int, float]]:
    shown = [(at, observed(point, EPOCH, at)) for at in instants(point, since, until)]
    return [(at, value) for at, value in shown if value is not None]


def test_a_value_is_the_same_whenever_it_is_asked_for():
    point = point_of("longtan-acrylonitrile", "TI-201")

    assert healthy(point, EPOCH) == healthy(point, EPOCH)
    assert shown(point, healthy(point, 1_790_000_000)) == 160.1


def test_readings_cut_into_any_windows_are_the_same_readings():
    point = point_of("dehui-corn", "AI-101")

    whole = list(instants(point, EPOCH, EPOCH + 1000))
    cut = [at for since in range(EPOCH, EPOCH + 1000, 7) for at in instants(point, since, min(since + 7, EPOCH + 1000))]

    assert cut == whole
    assert [b - a for a, b in itertools.pairwise(whole)] == [10] * (len(whole) - 1)


def test_a_healthy_point_keeps_off_every_limit_all_day_long():
    for point in simulated():
        for at in range(EPOCH, EPOCH + DAY_S, 1801):
            value = shown(point, healthy(point, at))
            low = max((x for x in (point.ll, point.l) if x is not None), default=float("-inf"))
            high = min((x for x in (point.h, point.hh) if x is not None), default=float("inf"))
            assert low + point.deadband < value < high - point.deadband, point


def test_faults_and_leaks_name_points_that_exist_and_never_overlap():
    named = [*FAULTY, *((leak.enterprise, leak.point) for leak in LEAKS)]

    assert all(point_of(slug, point).point == point for slug, point in named)
    assert len(FAULTY) == sum(fault.point != "*" for fault in FAULTS)
    assert all(fault.enterprise in by_slug() and fault.lasts < fault.period for fault in FAULTS)


def test_drift_and_chatter_are_among_the_faults():
    assert {Kind.DRIFT, Kind.CHATTER} <= {fault.kind for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.enterprise}/{fault.point}")
def test_a_fault_crosses_the_limits_it_names_in_every_episode_and_no_other(fault: Fault, judge):
    if fault.point == "*":
        return
    point = point_of(fault.enterprise, fault.point)
    span = 10 * fault.period

    raised: dict[int, set[str]] = defaultdict(set)
    for crossing in judge(point, sent(point, EPOCH - HOUR, EPOCH + fault.start + span - 1)):
        if crossing.state == "raised":
            began = fault.began(EPOCH, crossing.at // 1_000_000)
            assert began is not None, crossing
            raised[began].add(crossing.limit)

    episodes = fault.episodes(EPOCH, EPOCH, EPOCH + fault.start + span)
    assert len(episodes) == 10
    assert all(raised[began] == set(fault.crosses) for began in episodes)


def test_the_engine_finds_every_expected_alarm_at_its_time(judge):
    hours = 6
    expected = expected_alarms(EPOCH, EPOCH, EPOCH + hours * HOUR)

    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for slug, name in FAULTY:
        point = point_of(slug, name)
        for crossing in judge(point, sent(point, EPOCH - HOUR, EPOCH + (hours + 1) * HOUR)):
            if crossing.state == "raised":
                found[point.uscc, name, crossing.limit].append(crossing.at // 1_000_000)

    assert len(expected) > 50
    for alarm in expected:
        times = found[alarm.uscc, alarm.fault.point, alarm.limit]
        step = point_of(alarm.fault.enterprise, alarm.fault.point).step_s
        earliest = alarm.crossed_at + alarm.delay_s
        assert any(earliest <= at <= earliest + 6 * step for at in times), alarm


def test_chatter_comes_and_goes_at_least_three_times_a_minute():
    alarms = expected_alarms(EPOCH, EPOCH, EPOCH + HOUR)

    chatter = [alarm for alarm in alarms if alarm.fault.kind is Kind.CHATTER and alarm.limit in {"H", "LL"}]

    assert {alarm.fault.enterprise for alarm in chatter} == {"fengman-circuits", "taobei-crossings"}
    assert all(alarm.excursions >= 3 * alarm.fault.lasts / 60 - 1 for alarm in chatter)


def test_expected_alarms_cut_into_hours_are_the_same_alarms():
    whole = expected_alarms(EPOCH, EPOCH, EPOCH + 5 * HOUR)

    cut = [alarm for h in range(5) for alarm in expected_alarms(EPOCH, EPOCH + h * HOUR, EPOCH + (h + 1) * HOUR)]

    assert Counter(map(repr, cut)) == Counter(map(repr, whole))


def test_serious_alarms_come_calmly():
    def grave(alarm: Expected) -> bool:
        return alarm.limit in {"LL", "HH"}

    times = [alarm.crossed_at for alarm in expected_alarms(EPOCH, EPOCH, EPOCH + 12 * HOUR) if grave(alarm)]
    times += [at for leak in LEAKS for at in range(EPOCH + leak.start, EPOCH + 12 * HOUR, leak.period)]

    per_minute = Counter(at // 60 for at in times)
    assert max(per_minute.values()) <= 2
    assert len(times) / 12 < 12


def test_a_stuck_point_repeats_itself_and_a_silent_one_says_nothing():
    stuck, silent = point_of("tonghua-pharma", "PI-102"), point_of("siping-trucks", "TI-102")

    frozen = {observed(stuck, EPOCH, EPOCH + 300 + s) for s in range(0, 1200, 15)}
    silence = {observed(silent, EPOCH, EPOCH + 1200 + s) for s in range(0, 600, 30)}

    assert len(frozen) == 1
    assert silence == {None}
