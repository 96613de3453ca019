"""The board is judged by the alarms' own times: no late word silences what is in alarm."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hazards.domain.alarm import BoardAlarm, Turn, after
from shared.vocabulary import AlarmState
from tests.hazards.signs import alarm, at


def told(*said: tuple[str, float]) -> tuple[BoardAlarm, list[Turn]]:
    """The board after what was said of one alarm, as (state, minute)."""
    place: BoardAlarm | None = None
    turns = []
    for state, minute in said:
        place, turn = after(place, alarm(state=state, minute=minute))
        turns.append(turn)
    assert place is not None
    return place, turns


@pytest.mark.parametrize(
    ("said", "turn"),
    [
        ([("raised", 1)], Turn.RAISED),
        ([("raised", 1), ("raised", 2)], Turn.AGAIN),
        ([("raised", 2), ("raised", 1)], Turn.AGAIN),
        ([("raised", 1), ("cleared", 2)], Turn.CLEARED),
        ([("raised", 1), ("cleared", 1)], Turn.CLEARED),
        ([("raised", 2), ("cleared", 1)], Turn.STALE),
        ([("cleared", 1)], Turn.NOTHING),
        ([("raised", 1), ("cleared", 2), ("cleared", 3)], Turn.NOTHING),
        ([("cleared", 2), ("raised", 1)], Turn.LATE),
        ([("raised", 1), ("cleared", 3), ("raised", 2)], Turn.LATE),
        ([("raised", 1), ("cleared", 2), ("raised", 2)], Turn.RAISED),
        ([("raised", 1), ("cleared", 2), ("raised", 3)], Turn.RAISED),
        ([("raised", 1), ("cleared", 2), ("raised", 3), ("cleared", 2.5)], Turn.STALE),
        ([("raised", 1), ("raised", 3), ("cleared", 2)], Turn.STALE),
        ([("raised", 1), ("raised", 3), ("raised", 2), ("cleared", 3)], Turn.CLEARED),
    ],
)
def test_what_an_alarm_did_has_a_name(said, turn):
    assert told(*said)[1][-1] is turn


def test_the_end_of_an_earlier_condition_leaves_the_newer_one_in_alarm():
    place, _ = told(("raised", 1), ("cleared", 2), ("raised", 5), ("cleared", 4))

    assert (place.state, place.raised_at) == (AlarmState.RAISED, at(5))


def test_a_beginning_that_comes_after_its_end_puts_nothing_in_alarm():
    place, _ = told(("cleared", 2), ("raised", 1))

    assert (place.state, place.occurrences) == (AlarmState.CLEARED, 1)
    assert (place.raised_at, place.cleared_at) == (at(1), at(2))


def test_a_condition_counts_once_however_often_it_is_said():
    place, _ = told(("raised", 1), ("raised", 2), ("raised", 3), ("cleared", 4), ("raised", 5))

    assert place.occurrences == 2


def test_what_is_said_again_brings_the_newest_value():
    first, _ = after(None, alarm(data={"value": 101.0}))

    again, _ = after(first, alarm(minute=1, data={"value": 105.0, "limit": 100.0}))

    assert (again.value, again.limit, again.raised_at) == (105, 100, at(0))


def test_what_is_said_again_but_older_brings_nothing():
    place, _ = told(("raised", 1), ("raised", 5))

    assert after(place, alarm(minute=3, data={"value": 7.0})) == (place, Turn.AGAIN)


def test_a_new_condition_asks_for_a_new_answer():
    ended, _ = told(("raised", 1), ("cleared", 2))
    answered = replace(ended, acknowledged_at=at(1), acknowledged_by="zhang")

    place, _ = after(answered, alarm(minute=3))

    assert (place.acknowledged_at, place.acknowledged_by) == (None, None)


@given(st.lists(st.tuples(st.sampled_from(["raised", "cleared"]), st.integers(0, 9)), min_size=1))
def test_the_newest_word_decides_whatever_the_order(said):
    place, _ = told(*said)

    newest = max(minute for _, minute in said)
    states = {state for state, minute in said if minute == newest}
    assert place.state in states
