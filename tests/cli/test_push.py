"""What is pushed from a file is known one by one afterwards, whatever the door did in between."""

from pathlib import Path

import orjson
import pytest

from deploy.pushing import retry_after
from tests.cli.doors import Doors, Heard, Says

NOW = 1764057600.0  # 2025-11-25T08:00:00Z


def event(name: str) -> str:
    return orjson.dumps({"specversion": "1.0", "id": name, "source": "s", "type": "fengsui.alarm.v1"}).decode()


def taken(heard: Heard) -> Says:
    """As the door answers: what is called bad is rejected beside the others."""
    items = heard.json["readings"] if isinstance(heard.json, dict) else heard.json
    rejected = [
        {"index": index, "id": None, "code": "bad_level", "detail": "no such level", "pointer": "/data/level"}
        for index, item in enumerate(items)
        if "bad" in (item.get("id"), item.get("point"))
    ]
    counts = {"accepted": len(items) - len(rejected), "duplicates": 0, "rejected": rejected}
    if counts["accepted"]:
        return Says(counts, 202)
    return Says({"code": "nothing_valid", "detail": "no item could be accepted"} | counts, 422)


@pytest.fixture
def push(tmp_path: Path, doors: Doors, fengsui):
    """Pushes lines to the door."""

    def run(*lines: str, words: tuple[object, ...] = (), **env: str):
        (tmp_path / "file").write_text("\n".join(lines), "utf-8")
        url = ("--url", doors.url("ingest"), "--key", "fs_a_b")
        return fengsui("push", tmp_path / "file", *(words or url), **env)

    return run


def test_events_are_counted_as_the_door_counts_them(doors: Doors, push):
    doors.say("ingest", "/v1/events", Says({"accepted": 2, "duplicates": 1, "rejected": []}, 202))

    ran = push(event("a"), event("b"), event("a"))

    assert (ran.code, ran.err) == (0, "")
    assert orjson.loads(ran.out) == {"accepted": 2, "duplicates": 1, "rejected": 0}
    assert doors.heard[0].headers["Authorization"] == "Bearer fs_a_b"
    assert doors.heard[0].headers["Content-Type"] == "application/cloudevents-batch+json"
    assert [each["id"] for each in doors.heard[0].json] == ["a", "b", "a"]


def test_rejected_items_are_named_by_the_line_of_the_file(doors: Doors, push):
    doors.say("ingest", "/v1/events", taken)

    ran = push(event("a"), "", event("bad"), "{nonsense", event("b"))

    rows = sorted(line.split()[:3] for line in ran.err.splitlines()[1:])
    assert ran.code == 1
    assert orjson.loads(ran.out) == {"accepted": 2, "duplicates": 0, "rejected": 2}
    assert [row[:2] for row in rows] == [["3", "bad_level"], ["4", "bad_json"]]
    assert rows[0][2] == "/data/level"


def test_only_the_first_twenty_are_listed_and_all_are_counted(doors: Doors, push):
    doors.say("ingest", "/v1/events", taken)

    ran = push(*[event("bad")] * 150)

    assert orjson.loads(ran.out)["rejected"] == 150
    assert len(ran.err.splitlines()) == 1 + 20 + 1
    assert "130 more: 150 rejected in all" in ran.err


def test_readings_travel_in_frames_of_a_thousand(doors: Doors, push):
    doors.say("ingest", "/v1/readings", taken)

    ran = push("point,time,value", *["P,2026-01-01T00:00:00Z,1"] * 1500, "bad,2026-01-01T00:00:00Z,1")

    assert [len(heard.json["readings"]) for heard in doors.heard] == [1000, 501]
    assert orjson.loads(ran.out) == {"accepted": 1500, "duplicates": 0, "rejected": 1}
    assert ran.err.splitlines()[1].split()[0] == "1502"


def test_the_same_bytes_go_again_until_the_door_has_taken_them(doors: Doors, push):
    later = Says({"code": "outcome_unknown", "detail": "send it again"}, 503, {"Retry-After": "0"})
    doors.say("ingest", "/v1/events", later, Says({}, 500), Says({}, 429, {"Retry-After": "0"}), taken)

    ran = push(event("a"), event("b"))

    assert ran.code == 0
    assert orjson.loads(ran.out)["accepted"] == 2
    assert len(doors.heard) == 4
    assert len({heard.body for heard in doors.heard}) == 1


def test_a_door_that_stays_away_ends_the_push_with_what_is_known(doors: Doors, push):
    doors.say("ingest", "/v1/events", taken, Says({"code": "bus_away", "detail": "…"}, 503, {"Retry-After": "1"}))

    url = ("--url", doors.url("ingest"), "--key", "k", "--patience", "0.5")
    ran = push(*[event(str(number)) for number in range(150)], words=url)

    assert ran.code == 1
    assert orjson.loads(ran.out)["accepted"] == 100
    assert "answers 503 (bus_away)" in ran.err
    assert "stopped at line 101" in ran.err


def test_an_address_where_nobody_listens_is_named(push):
    ran = push(event("a"), words=("--url", "http://127.0.0.1:1", "--key", "k", "--patience", "0"))

    assert ran.code == 1
    assert "the door at http://127.0.0.1:1 gives no answer (connection refused)" in ran.err


def test_a_request_that_one_item_spoils_is_halved_until_that_one_is_alone(doors: Doors, push):
    def door(heard: Heard) -> Says:
        if any(each["id"] == "deep" for each in heard.json):
            return Says({"code": "too_deep", "detail": "nested deeper than 32 levels"}, 400)
        return taken(heard)

    doors.say("ingest", "/v1/events", door)

    ran = push(*map(event, ["a", "b", "deep", "c", "d"]))

    accepted = [each["id"] for heard in doors.heard if door(heard).status == 202 for each in heard.json]
    assert orjson.loads(ran.out) == {"accepted": 4, "duplicates": 0, "rejected": 1}
    assert accepted == ["a", "b", "c", "d"]
    assert ran.err.splitlines()[1].split()[:2] == ["3", "too_deep"]


@pytest.mark.parametrize("status", [401, 404, 415])
def test_a_refusal_that_concerns_all_ends_the_push(doors: Doors, push, status: int):
    doors.say("ingest", "/v1/events", Says({"code": "unauthorized", "detail": "a valid credential is needed"}, status))

    ran = push(event("a"), event("b"))

    assert ran.code == 1
    assert len(doors.heard) == 1
    assert ran.err == "the door refuses: a valid credential is needed (unauthorized)"


def test_a_dry_run_is_asked_for(doors: Doors, push):
    doors.say("ingest", "/v1/events", taken)

    push(event("a"), words=("--url", doors.url("ingest"), "--dry-run"), FENGSUI_KEY="fs_c_d")

    assert doors.heard[0].query == {"dry_run": "true"}
    assert doors.heard[0].headers["Authorization"] == "Bearer fs_c_d"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 25 Nov 2025 08:00:10 GMT", 10.0),
        ("Tue, 25 Nov 2025 07:00:00 GMT", 0.0),
        ("", None),
        ("x", None),
    ],
)
def test_a_door_may_say_when_to_come_again_in_seconds_or_as_a_date(said: str, seconds: float | None):
    assert retry_after(said, NOW) == seconds
