"""A seed repeats its run: the same faults, at the same pauses, with the same choices."""

from itertools import islice

from bench.chaos.faults import FAULTS
from bench.chaos.schedule import plan
from bench.chaos.storm import weights

WEIGHTS = {"kill": 8, "stop": 4, "cut": 1}


def test_a_seed_gives_the_same_faults_again() -> None:
    first = [(p, p.chance().random()) for p in islice(plan(7, WEIGHTS, 6), 200)]

    assert [(p, p.chance().random()) for p in islice(plan(7, WEIGHTS, 6), 200)] == first


def test_another_seed_gives_others() -> None:
    assert list(islice(plan(7, WEIGHTS, 6), 50)) != list(islice(plan(8, WEIGHTS, 6), 50))


def test_every_kind_comes_as_often_as_its_weight_says() -> None:
    drawn = [planned.name for planned in islice(plan(3, WEIGHTS, 6), 2600)]

    counts = {name: drawn.count(name) / 200 for name in WEIGHTS}

    assert all(0.6 * WEIGHTS[name] < count < 1.4 * WEIGHTS[name] for name, count in counts.items()), counts


def test_pauses_lie_around_their_mean() -> None:
    pauses = [planned.pause_s for planned in islice(plan(3, WEIGHTS, 10), 1000)]

    assert min(pauses) >= 4
    assert max(pauses) <= 16
    assert 9 < sum(pauses) / 1000 < 11


def test_no_fault_is_drawn_where_none_is_wanted() -> None:
    assert list(plan(3, {}, 6)) == []


def test_a_mild_run_leaves_out_what_takes_a_minute_to_heal() -> None:
    mild = weights((), mild=True)

    assert set(mild) < set(weights((), mild=False)) == set(FAULTS)
    assert not {"broker", "silent", "disk", "clock"} & set(mild)


def test_a_fault_that_is_named_is_drawn_though_the_run_is_mild() -> None:
    assert set(weights(("broker",), mild=True)) == {"broker"}
