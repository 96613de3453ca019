"""What services say of one event becomes a way: done, held with the reason, on its way behind so many, or missing."""

import pytest

from deploy.refusal import Refusal
from deploy.way import State, event_of, way_of, whole

EVENT, STEP, CASE = "e", "s", "c"
NONE = {"taken": [], "dead": [], "lag": {"alarms": 0, "reports": 0, "cases": 0}}
SEARCH = {"items": [], "searched": 7}
OPENED = {
    "id": STEP, "cause": EVENT, "case_id": CASE, "version": 1, "kind": "opened", "level": "red", "title": "t",
    "state": "reported", "written_at": "2", "queued": True, "sent_at": "3", "enterprise": "E",
}  # fmt: skip
FACT = {
    "id": EVENT, "case_id": None, "measure": "alarms", "at": "1", "day": "d", "region": "r", "industry": "i",
    "level": "red",
}  # fmt: skip


def taken(*ids: str, held: str | None = None) -> dict:
    return {"taken": [{"id": each, "digest": "ab" if each == EVENT else None, "held": held, "at": "1"} for each in ids]}


def answers(**more: dict) -> dict:
    """Of an alarm that opened a case, but for what is said."""
    here = {
        "ingest": NONE,
        "hazards": NONE | taken(EVENT) | {"steps": [OPENED]},
        "notify": NONE | taken(STEP) | {"calls": [], "notifications": []},
        "reporting": NONE | taken(EVENT, STEP) | {"facts": [FACT]},
    }
    return {name: answer | more.get(name, {}) for name, answer in here.items()}


def states(**more: dict) -> list[tuple[str, State]]:
    return [(line.stage, line.state) for line in way_of(EVENT, answers(**more), SEARCH) if line.stage != "bus"]


def test_a_way_that_is_whole_has_every_stage():
    lines = way_of(EVENT, answers(), SEARCH)

    assert [line.stage for line in lines] == ["bus", "hazards", "case", "notify", "reporting", "fact"]
    assert whole(lines)


@pytest.mark.parametrize(
    ("lag", "state", "words"),
    [
        (0, State.MISSING, "read all there is"),
        (12, State.WAITING, "12 records"),
        (None, State.WAITING, "Kafka does not say"),
    ],
)
def test_what_is_absent_is_behind_others_or_missing(lag: int | None, state: State, words: str):
    behind = {"taken": [], "calls": [], "notifications": [], "lag": {"cases": lag}}

    lines = way_of(EVENT, answers(notify=behind), SEARCH)

    (line,) = [line for line in lines if line.stage == "notify"]
    assert line.state is state
    assert words in line.what
    assert not whole(lines)


def test_what_waits_in_an_outbox_is_on_its_way():
    unsent = OPENED | {"sent_at": None}

    assert ("case", State.WAITING) in states(hazards={"steps": [unsent]})


def test_a_step_that_reporting_did_not_hear_of_is_missing():
    assert ("reporting", State.MISSING) in states(reporting=taken(EVENT))


def test_a_dead_letter_is_held_with_its_reason():
    letter = {"id": 7, "state": "waiting", "reason": "refused", "detail": "why", "event_id": EVENT, "at": "1"}

    lines = way_of(EVENT, answers(hazards=NONE | {"dead": [letter], "steps": []}), SEARCH)

    (line,) = [line for line in lines if line.stage == "hazards"]
    assert (line.state, line.what) == (State.HELD, "dead letter 7 (waiting): refused, why")


def test_who_was_told_is_told_with_every_attempt_and_answer():
    call = {
        "id": STEP, "opened_at": "3", "state": "answered", "tier": "county", "answered_by": "z", "answered_at": "5",
    }  # fmt: skip
    told = {
        "call": STEP, "contact": "C-1", "tier": "county", "state": "acknowledged", "reason": None, "created_at": "3",
        "acknowledged_at": "5", "acknowledged_by": "z",
        "attempts": [{"channel": "webhook", "message": "created", "at": "4", "outcome": "delivered", "detail": "200"}],
    }  # fmt: skip

    lines = way_of(EVENT, answers(notify={"calls": [call], "notifications": [told]}), SEARCH)

    assert [(line.stage, line.at) for line in lines][4:8] == [
        ("call", "3"),
        ("notification", "3"),
        ("attempt", "4"),
        ("answer", "5"),
    ]


def test_a_heartbeat_ends_at_ingest_even_while_it_is_on_its_way():
    beat = {"items": [{"event": EVENT, "type": "fengsui.heartbeat.v1", "topic": "readings", "partition": 0,
        "offset": 1, "accepted": None, "at": "1", "digest": "ab"}], "searched": 1}  # fmt: skip
    nobody = answers(hazards=NONE | {"steps": []}, notify=NONE, reporting=NONE)

    waiting = way_of(EVENT, nobody | {"ingest": NONE | {"lag": {"readings": 5}}}, beat)
    heard = way_of(EVENT, nobody | {"ingest": NONE | taken(EVENT)}, beat)

    assert [(line.stage, line.state) for line in waiting] == [("bus", State.DONE), ("ingest", State.WAITING)]
    assert [(line.stage, line.state) for line in heard] == [("bus", State.DONE), ("ingest", State.DONE)]


def test_names_mean_one_event_or_none_or_ask_whose():
    other = {"event": "f", "enterprise": "F"}

    assert event_of(answers(), []) == EVENT
    assert event_of(answers(hazards=NONE | {"steps": []}, reporting=NONE, notify=NONE), []) is None
    with pytest.raises(Refusal, match="2 enterprises used these names; say which by --enterprise: E, F"):
        event_of(answers(), [other])
