"""What enterprises say themselves carries the same ids for the same moments, and ends what it began."""

from collections import Counter

from deploy.demo.faults import FAULTS
from deploy.demo.province import by_slug, enterprises
from deploy.demo.pushed import LEAKS, PATROL_S, PATROLLED_BY, CloudEvent, events, overdue_clears
from shared.vocabulary import Category

EPOCH = 1_790_000_123
HOUR = 3600


def pushed(since: int, until: int) -> list[CloudEvent]:
    return [event for enterprise in enterprises() for event in events(enterprise, EPOCH, since, until)]


def test_identities_are_unique_and_the_same_however_time_is_cut():
    whole = {(e["source"], e["id"]): e for e in pushed(EPOCH, EPOCH + HOUR)}

    cut = [event for since in range(EPOCH, EPOCH + HOUR, 90) for event in pushed(since, since + 90)]

    assert len(cut) == len(whole)
    assert all(whole[e["source"], e["id"]] == e for e in cut)


def test_every_raised_alarm_is_cleared_at_the_same_level():
    spans = 3 * max(leak.period for leak in LEAKS)
    alarms = [e["data"] for e in pushed(EPOCH, EPOCH + spans) if e["type"] == "fengsui.alarm.v1"]

    states = Counter((a["point"], a["level"], a["state"]) for a in alarms)

    assert {level for _, level, _ in states} == {"red", "orange", "yellow"}
    for point, level, state in list(states):
        assert abs(states[point, level, "raised"] - states[point, level, "cleared"]) <= 1, (point, level, state)


def test_the_first_pushed_red_alarm_comes_within_a_minute():
    first = [e["data"] for e in pushed(EPOCH, EPOCH + 60) if e["type"] == "fengsui.alarm.v1"]

    assert [(a["level"], a["state"]) for a in first] == [("red", "raised")]


def test_hazards_come_every_few_minutes_with_a_chinese_title():
    hazards = [e for e in pushed(EPOCH, EPOCH + 2 * HOUR) if e["type"] == "fengsui.hazard.v1"]

    assert len(hazards) == -(-(2 * HOUR - 75) // PATROL_S)
    assert all(not e["data"]["title"].isascii() for e in hazards)
    assert {e["data"]["category"] for e in hazards} <= set(Category)
    assert len({e["data"]["title"] for e in hazards}) > 10


def test_every_enterprise_shows_a_sign_of_life_each_minute_unless_it_is_cut_off():
    cut_off = next(fault for fault in FAULTS if fault.point == "*")
    before, during = EPOCH + 60, EPOCH + cut_off.start

    alive = [e["id"].split("/")[0] for e in pushed(before, before + 60) if e["source"] == "demo/gateway"]
    then = [e["id"].split("/")[0] for e in pushed(during, during + 60) if e["source"] == "demo/gateway"]

    assert sorted(alive) == sorted(by_slug())
    assert set(by_slug()) - set(then) == {cut_off.enterprise}


def test_a_feed_that_was_away_owes_the_clears_of_what_it_had_raised():
    leak = LEAKS[0]
    owner, raised = by_slug()[leak.enterprise], EPOCH + leak.start

    owed = overdue_clears(owner, EPOCH, raised + 10, raised + 5 * HOUR)
    not_yet = overdue_clears(owner, EPOCH, raised + 10, raised + leak.lasts - 1)
    nothing = overdue_clears(owner, EPOCH, raised + leak.lasts + 10, raised + leak.lasts + 600)

    assert [(e["data"]["point"], e["data"]["state"]) for e in owed] == [(leak.point, "cleared")]
    assert owed == [e for e in events(owner, EPOCH, raised, raised + leak.lasts) if e["type"] == "fengsui.alarm.v1"]
    assert (not_yet, nothing) == ([], [])
    assert by_slug()[PATROLLED_BY].points
