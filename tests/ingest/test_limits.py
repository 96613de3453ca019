"""The alarm engine at equality, under delays, and against a naive model that keeps the whole history."""

from dataclasses import astuple, dataclass, field, replace
from fractions import Fraction
from itertools import accumulate, cycle, islice, pairwise, product, takewhile

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.engine import BLOCK_POINTS, Block, Crossing, PointStates, alarm_id, decide
from services.ingest.domain.limits import NAMES, LimitName, Limits
from shared.events.readings import FrameData
from shared.vocabulary import AlarmState, Level

S = 1_000_000
TANK = Limits(ll=10, l=20, h=80, hh=90, deadband=2)
FOUR_LEVELS: dict[LimitName, Level] = dict(zip(NAMES, Level, strict=True))


@dataclass(frozen=True)
class Reading:
    point: str
    at: int
    value: float | None
    good: bool = True


Stream = list[Reading]


def frame(readings: Stream) -> FrameData:
    return FrameData(
        points=tuple(reading.point for reading in readings),
        times=tuple(reading.at for reading in readings),
        values=tuple(reading.value for reading in readings),
        good=tuple(reading.good for reading in readings),
    )


def told(limits: Limits, *values: float | None, state: PointStates | None = None, start: int = 0) -> list[str]:
    """What the values of T-101 say, one a second, as `second limit state level`."""
    readings = [Reading("T-101", at * S, value) for at, value in enumerate(values, start)]
    crossings = decide(state or PointStates(), {"T-101": limits}, frame(readings))
    return [f"{c.at // S} {c.limit} {c.state} {c.level}" for c in crossings]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([79.9, 80], ["1 H raised yellow"]),
        ([80, 79.9, 78], ["0 H raised yellow"]),
        ([80, 77.9], ["0 H raised yellow", "1 H cleared yellow"]),
        ([20.1, 20], ["1 L raised yellow"]),
        ([20, 20.1, 22], ["0 L raised yellow"]),
        ([20, 22.1], ["0 L raised yellow", "1 L cleared yellow"]),
        ([90, 88, 87.9], ["0 H raised yellow", "0 HH raised red", "2 HH cleared red"]),
        ([10, 12, 12.1], ["0 L raised yellow", "0 LL raised red", "2 LL cleared red"]),
    ],
)
def test_a_limit_raises_at_its_value_and_clears_only_past_its_deadband(values, expected):
    assert told(TANK, *values) == expected


def test_the_deadband_is_taken_off_in_decimal_as_people_reckon():
    limits = Limits(h=0.8, deadband=0.1)

    assert told(limits, 0.8, 0.7) == ["0 H raised yellow"]


def test_minus_zero_equals_zero():
    assert told(Limits(h=0.0), -0.0) == ["0 H raised yellow"]
    assert told(Limits(l=-0.0), 0.0) == ["0 L raised yellow"]


def test_a_limit_raises_at_the_first_reading_that_completes_its_delay():
    limits = replace(TANK, on_delay_us=2 * S)

    assert told(limits, 80, 81, 80, 81) == ["2 H raised yellow"]
    assert told(limits, 80, 81, 79.9, 80, 80) == []
    assert told(limits, 80, 81, None, 80) == ["3 H raised yellow"]


def test_a_limit_clears_at_the_first_reading_that_completes_its_delay():
    limits = replace(TANK, off_delay_us=2 * S)

    assert told(limits, 80, 77, 77, 77) == ["0 H raised yellow", "3 H cleared yellow"]
    assert told(limits, 80, 77, 77, 78, 77, 77) == ["0 H raised yellow"]


def test_within_a_reading_what_clears_comes_before_what_raises():
    assert told(TANK, 5, 95) == [
        *("0 L raised yellow", "0 LL raised red"),
        *("1 LL cleared red", "1 L cleared yellow", "1 H raised yellow", "1 HH raised red"),
    ]


def test_a_level_clears_with_the_last_of_its_limits():
    limits = replace(TANK, levels={"H": Level.RED})

    assert told(limits, 80, 90, 85, 70) == ["0 H raised red", "1 HH raised red", "3 H cleared red"]
    assert told(limits, 95, 70) == ["0 H raised red", "0 HH raised red", "1 H cleared red"]


def test_a_reading_that_is_bad_empty_or_not_newer_is_without_effect():
    state = PointStates()
    told(TANK, 50, 50, state=state)
    before = replace(state.blocks[0], last_at=[S])
    without = [
        Reading("T-101", 2 * S, 95, good=False),
        Reading("T-101", 2 * S, None),
        Reading("T-101", S, 95),
    ]

    crossings = decide(state, {"T-101": TANK}, frame(without))

    assert (crossings, state.blocks[0]) == ([], before)


def test_a_limit_that_is_removed_clears_at_the_next_reading_at_the_level_it_raised():
    state = PointStates()
    told(replace(TANK, off_delay_us=9 * S, levels={"H": Level.ORANGE}), 85, state=state)

    crossings = told(Limits(), 85, state=state, start=1)

    assert crossings == ["1 H cleared orange"]


def test_a_limit_that_moves_is_judged_at_the_next_reading():
    state = PointStates()
    told(TANK, 85, state=state)

    assert told(replace(TANK, h=86), 85, state=state, start=1) == []
    assert told(replace(TANK, h=88), 85, state=state, start=2) == ["2 H cleared yellow"]


def test_an_active_limit_whose_level_changes_clears_the_old_level_and_raises_the_new():
    state = PointStates()
    told(TANK, 85, state=state)

    crossings = told(replace(TANK, levels={"H": Level.ORANGE}), 85, 85, state=state, start=1)

    assert crossings == ["1 H cleared yellow", "1 H raised orange"]


def test_a_level_that_changes_while_a_limit_is_clearing_raises_nothing_new():
    state = PointStates()
    limits = replace(TANK, off_delay_us=2 * S)
    told(limits, 85, 70, state=state)

    crossings = told(replace(limits, levels={"H": Level.ORANGE}), 70, 70, state=state, start=2)

    assert crossings == ["3 H cleared yellow"]


def test_only_blocks_with_a_newer_reading_are_written():
    points = [f"T-{n}" for n in range(BLOCK_POINTS + 1)]
    state = PointStates()
    decide(state, {}, frame([Reading(point, 0, 1.0) for point in points]))
    state = kept(state)

    decide(state, {}, frame([Reading("T-0", 0, 2.0), Reading("T-256", 1, 2.0), Reading("T-257", 1, 2.0)]))

    assert [len(block.points) for block in state.blocks] == [BLOCK_POINTS, 2]
    assert [block.number for block in state.touched()] == [1]


def test_an_alarm_is_named_by_its_point_limit_time_and_state():
    eight = 1_795_593_600 * S

    assert alarm_id("T-101", "HH", eight, AlarmState.RAISED) == "T-101/HH/2026-11-25T08:00:00Z/raised"
    assert alarm_id("a/b", "L", eight + 1, AlarmState.CLEARED) == "a/b/L/2026-11-25T08:00:00.000001Z/cleared"


def kept(state: PointStates) -> PointStates:
    """The state as its rows bring it back."""
    columns = ("number", "points", "last_at", "last_value", "states", "since")
    rows = [orjson.dumps({name: getattr(block, name) for name in columns}) for block in state.blocks]
    return PointStates(Block(**orjson.loads(row)) for row in rows)


@dataclass
class Model:
    """One reading at a time, from the whole history since a limit last changed, in exact fractions."""

    last: dict[str, int] = field(default_factory=dict)
    history: dict[tuple[str, str], list[tuple[int, bool, bool]]] = field(default_factory=dict)
    active: dict[tuple[str, str], Level] = field(default_factory=dict)

    def hear(self, limits: Limits, reading: Reading) -> list[str]:
        point, at, value, good = astuple(reading)
        if not good or value is None or at <= self.last.get(point, at - 1):
            return []
        self.last[point] = at
        was = {name: self.active.get((point, name)) for name in NAMES}
        now = {name: self.judge(limits, point, name, at, exact(value)) for name in NAMES}
        cleared, raised = [], []
        still_open = {was[name] for name in NAMES if was[name] == now[name]}
        for name in ("H", "L", "HH", "LL"):
            if was[name] and was[name] != now[name] and was[name] not in still_open:
                cleared.insert(0, f"{at} {point} {name} cleared {was[name]}")
                still_open.add(was[name])
            if now[name] and was[name] != now[name]:
                raised.append(f"{at} {point} {name} raised {now[name]}")
        return cleared + raised

    def judge(self, limits: Limits, point: str, name: LimitName, at: int, value: Fraction) -> Level | None:
        limit, deadband = getattr(limits, name.lower()), exact(limits.deadband)
        key = (point, name)
        history = self.history.setdefault(key, [])
        if limit is None:
            history.append((at, False, True))
        elif name in ("H", "HH"):
            history.append((at, value >= exact(limit), value < exact(limit) - deadband))
        else:
            history.append((at, value <= exact(limit), value > exact(limit) + deadband))
        if key in self.active:
            run = [*takewhile(lambda entry: entry[2], reversed(history))]
            if run and (limit is None or at - run[-1][0] >= limits.off_delay_us):
                del self.active[key]
                history.clear()
            elif not run:
                self.active[key] = limits.level(name)
        else:
            run = [*takewhile(lambda entry: entry[1], reversed(history))]
            if run and at - run[-1][0] >= limits.on_delay_us:
                self.active[key] = limits.level(name)
                history.clear()
        return self.active.get(key)


def exact(number: float) -> Fraction:
    return Fraction(str(number))


def stream_of(steps: list[tuple[str, int, float | str | None]]) -> Stream:
    times = accumulate((step for _, step, _ in steps), initial=10)
    next(times)
    return [
        Reading(point, at, 9.9, good=False) if value == "bad" else Reading(point, at, value)
        for (point, _, value), at in zip(steps, times, strict=True)
    ]


tenths = [n / 10 for n in range(10)]
points = st.sampled_from("PQ")
streams = st.lists(
    st.tuples(points, st.sampled_from([1, 1, 1, 2, 3, 0, -2]), st.sampled_from([*tenths, None, "bad"])),
    max_size=50,
).map(stream_of)
limit_values = st.sampled_from([None, *tenths[2:8]])
delays = st.sampled_from([0, 0, 1, 2, 5])
some_limits = st.builds(
    Limits,
    ll=limit_values,
    l=limit_values,
    h=limit_values,
    hh=limit_values,
    deadband=st.sampled_from([0.0, 0.1, 0.3]),
    on_delay_us=delays,
    off_delay_us=delays,
    levels=st.sampled_from([{}, {"H": Level.RED}, {"L": Level.BLUE, "HH": Level.YELLOW}, FOUR_LEVELS]),
)
limits_by_point = st.fixed_dictionaries({}, optional={"P": some_limits, "Q": some_limits})
cuts = st.sets(st.integers(1, 49))


def pieces(stream: Stream, cuts: set[int]) -> list[Stream]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def whole(limits: dict[str, Limits], stream: Stream) -> list[Crossing]:
    return decide(PointStates(), limits, frame(stream))


@given(streams, limits_by_point, cuts)
def test_a_stream_gives_the_same_alarms_however_it_is_cut(stream, limits, cuts):
    state, crossings = PointStates(), []

    for piece in pieces(stream, cuts):
        crossings += decide(state, limits, frame(piece))
        state = kept(state)

    assert crossings == whole(limits, stream)


@given(streams, limits_by_point, cuts)
def test_what_comes_again_in_any_order_changes_nothing(stream, limits, cuts):
    heard: Stream = []
    doubled: Stream = []
    for piece in pieces(stream, cuts):
        heard += piece
        doubled += [*piece, *reversed(heard), *heard]

    crossings = whole(limits, doubled)

    assert crossings == whole(limits, stream)


@given(streams, st.lists(limits_by_point, min_size=1, max_size=4), cuts)
def test_the_engine_agrees_with_the_model_while_limits_change(stream, eras, cuts):
    state, model = PointStates(), Model()

    for limits, piece in zip(cycle(eras), pieces(stream, cuts), strict=False):
        expected = [line for r in piece for line in model.hear(limits.get(r.point, Limits()), r)]
        crossings = decide(state, limits, frame(piece))
        assert [f"{c.at} {c.point} {c.limit} {c.state} {c.level}" for c in crossings] == expected


@given(streams, st.lists(limits_by_point, min_size=1, max_size=4), cuts)
def test_a_level_is_open_on_the_wire_exactly_while_a_limit_holds_it(stream, eras, cuts):
    state, model, wire = PointStates(), Model(), set()

    for limits, piece in zip(cycle(eras), pieces(stream, cuts), strict=False):
        for reading in piece:
            model.hear(limits.get(reading.point, Limits()), reading)
            for crossing in decide(state, limits, frame([reading])):
                alarm = (crossing.point, crossing.level)
                assert crossing.state == AlarmState.RAISED or alarm in wire
                (wire.add if crossing.state == AlarmState.RAISED else wire.remove)(alarm)
            assert wire == {(point, level) for (point, _), level in model.active.items()}


@given(streams, some_limits)
def test_a_limit_with_a_level_of_its_own_raises_and_clears_by_turns(stream, limits):
    limits = replace(limits, levels=FOUR_LEVELS)

    crossings = whole({"P": limits, "Q": limits}, stream)

    for point, name in product("PQ", NAMES):
        states = [c.state for c in crossings if (c.point, c.limit) == (point, name)]
        assert states == [*islice(cycle(AlarmState), len(states))]
