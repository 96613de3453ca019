"""reconcile asks every service for every event of a file, however long, and waits for what is on its way."""

import time
import tracemalloc
from pathlib import Path

import orjson
import pytest

from deploy.commands.reconcile import AT_ONCE, UNDER_WAY
from tests.cli.doors import Doors, Heard, Says

PATH = "/v1/verdicts"
SEEN = {"verdicts": 1, "held": [], "dead": 0, "effects": 1, "doubled": 0}
NOTHING = {"verdicts": 0, "held": [], "dead": 0, "effects": 0, "doubled": 0}


def all_seen(heard: Heard) -> Says:
    return Says({"service": heard.service, "items": [SEEN for _ in heard.json["events"]]})


def none_seen(heard: Heard) -> Says:
    return Says({"service": heard.service, "items": [NOTHING for _ in heard.json["events"]]})


@pytest.fixture
def reconcile(tmp_path: Path, cli_home: Path, doors: Doors, fengsui):
    """Asks for events by these ids; every service has seen them unless a test says otherwise."""
    for service in ("ingest", "hazards", "notify", "reporting"):
        doors.say(service, PATH, all_seen)

    def run(*lines: str, words: tuple[object, ...] = ("--wait", 0)):
        (tmp_path / "acked").write_text("\n".join(lines), "utf-8")
        return fengsui("reconcile", tmp_path / "acked", "--home", cli_home, *words)

    return run


def named(*ids: str) -> list[str]:
    return [orjson.dumps({"source": "s", "id": each}).decode() for each in ids]


def test_a_platform_that_holds_everything_once_is_said_to_do_so(reconcile):
    ran = reconcile(*named("a", "b"))

    table = [line.split() for line in ran.out.splitlines()]
    assert (ran.code, ran.err) == (0, "")
    assert table[0] == ["stage", "seen", "held", "missing", "doubled"]
    assert table[2:5] == [[stage, "2", "0", "0", "0"] for stage in ("hazards", "notify", "reporting")]
    assert ran.out.splitlines()[-1].startswith("2 events in ")
    assert ran.out.endswith(": none missing, none doubled\n")


def test_what_is_missing_or_doubled_is_named_and_fails(doors: Doors, reconcile):
    doors.say("notify", PATH, Says({"items": [SEEN, NOTHING, SEEN | {"doubled": 1}]}))

    ran = reconcile(*named("a", "b", "c"), words=("--wait", 0, "--json"))

    said = orjson.loads(ran.out)
    assert ran.code == 1
    assert said["stages"]["notify"] == {"seen": 1, "held": {}, "missing": 1, "doubled": 1}
    assert said["missing"] == [{"line": 2, "source": "s", "id": "b", "stage": "notify"}]
    assert said["doubled"] == [{"line": 3, "source": "s", "id": "c", "stage": "notify"}]


def test_a_table_names_the_first_that_are_wrong(doors: Doors, reconcile):
    doors.say("reporting", PATH, Says({"items": [NOTHING]}))

    ran = reconcile(*named("a"))

    assert ran.code == 1
    assert ran.out.splitlines()[-1].split() == ["1", "reporting", "s", "a"]


def test_an_event_on_its_way_is_asked_for_again(doors: Doors, reconcile):
    doors.say("notify", PATH, Says({"items": [SEEN, NOTHING]}), Says({"items": [SEEN]}))

    ran = reconcile(*named("a", "b"), words=("--wait", 20))

    again = [heard.json["events"] for heard in doors.heard if heard.service == "notify"]
    assert ran.code == 0
    assert again == [[{"source": "s", "id": "a"}, {"source": "s", "id": "b"}], [{"source": "s", "id": "b"}]]


def test_the_wait_is_one_for_the_whole_file_and_not_one_for_each_piece(doors: Doors, reconcile):
    doors.say("notify", PATH, none_seen)

    started = time.monotonic()
    ran = reconcile(*named(*map(str, range(4500))), words=("--wait", 1, "--json"))

    asked = sorted(len(heard.json["events"]) for heard in doors.heard if heard.service == "notify")
    assert ran.code == 1
    assert orjson.loads(ran.out)["stages"]["notify"]["missing"] == 4500
    assert time.monotonic() - started >= 1
    assert len(asked) % 3 == 0  # all pieces, as often as one another


def test_an_event_that_was_late_in_an_early_piece_is_asked_for_at_the_end(doors: Doors, reconcile):
    def late_once(heard: Heard) -> Says:
        times = sum(each.service == "notify" and first in each.json["events"] for each in doors.heard)
        items = [NOTHING if event == first and times == 1 else SEEN for event in heard.json["events"]]
        return Says({"items": items})

    first = {"source": "s", "id": "0"}
    doors.say("notify", PATH, late_once)

    ran = reconcile(*named(*map(str, range(4500))), words=("--wait", 30))

    assert ran.code == 0
    assert doors.heard[-1].json["events"] == [first]


def test_names_that_stand_in_the_file_twice_are_neither_doubled_nor_missing(reconcile):
    """A push that got no answer is pushed again, and acknowledged a second time: perhaps far behind in the file."""
    ran = reconcile(*named("a", *map(str, range(2500)), "a"), words=("--wait", 0, "--json"))

    said = orjson.loads(ran.out)
    assert (ran.code, said["events"]) == (0, 2502)
    assert said["stages"]["hazards"] == {"seen": 2502, "held": {}, "missing": 0, "doubled": 0}


def test_ingest_is_asked_only_for_what_hazards_never_heard_of(doors: Doors, reconcile):
    doors.say("hazards", PATH, Says({"items": [SEEN, NOTHING]}))
    doors.say("notify", PATH, Says({"items": [SEEN, NOTHING]}))
    doors.say("reporting", PATH, Says({"items": [SEEN, NOTHING]}))

    ran = reconcile(*named("a", "beat"))

    asked = [heard.json["events"] for heard in doors.heard if heard.service == "ingest"]
    assert ran.code == 0
    assert asked == [[{"source": "s", "id": "beat"}]]
    assert ran.out.splitlines()[1].split() == ["ingest", "0", "1", "heartbeat", "0", "0"]


def test_a_long_file_is_asked_for_in_pieces(doors: Doors, reconcile):
    ran = reconcile(*named(*map(str, range(4500))))

    assert ran.code == 0
    sizes = [len(heard.json["events"]) for heard in doors.heard if heard.service == "hazards"]
    assert sorted(sizes) == [500, 2000, 2000]  # asked for side by side
    assert "4500 events" in ran.out


def test_a_file_five_times_as_long_needs_no_more_memory(tmp_path: Path, cli_home: Path, doors: Doors, fengsui):
    full = Says(orjson.dumps({"items": [SEEN] * AT_ONCE}))

    def forgotten(_: Heard) -> Says:
        doors.heard.clear()
        return full

    def most(events: int) -> int:
        with (tmp_path / "acked").open("w") as file:
            file.writelines(f'{{"source":"s","id":"{number}"}}\n' for number in range(events))
        tracemalloc.start()
        ran = fengsui("reconcile", tmp_path / "acked", "--home", cli_home)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert f"{events} events in " in ran.out
        return peak

    for service in ("hazards", "notify", "reporting"):
        doors.say(service, PATH, forgotten)

    short = most(UNDER_WAY * AT_ONCE)

    assert most(5 * UNDER_WAY * AT_ONCE) < short * 1.2


def test_a_file_of_whole_events_will_do(reconcile):
    ran = reconcile('{"specversion":"1.0","source":"s","id":"a","type":"fengsui.alarm.v1","data":{}}', "", "")

    assert ran.code == 0
    assert "1 events" in ran.out


@pytest.mark.parametrize("line", ["nonsense", "[]", "5", '{"source":"s"}', '{"source":"s","id":5}', '{"id":"a"}'])
def test_a_line_that_names_no_event_is_pointed_at(reconcile, line: str):
    ran = reconcile(*named("a"), line)

    assert ran.code == 1
    assert ran.err.startswith("line 2 of ")


def test_a_service_that_is_away_leaves_nothing_proved(doors: Doors, reconcile):
    doors.say("notify", PATH, Says({"code": "internal", "detail": "the request failed here"}, 500))

    ran = reconcile(*named("a"))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "notify refuses: the request failed here (internal)"
