"""A person decides on dead letters: sees them, sends them again, gives them up, lets a partition go on."""

import asyncio
from pathlib import Path

import orjson
import pytest

from tests.cli.doors import Doors, Heard, Says

LETTER = {
    "id": 7,
    "service": "hazards",
    "topic": "alarms",
    "partition": 3,
    "offset": 41,
    "at": "2026-11-25T08:00:00Z",
    "state": "waiting",
    "reason": "refused",
    "detail": "no\nway",
}
EMPTY = Says({"items": [], "next": None})


@pytest.fixture(autouse=True)
def quiet(doors: Doors) -> None:
    for service in ("ingest", "hazards", "notify", "reporting"):
        doors.say(service, "/v1/dead-letters", EMPTY)
        doors.say(service, "/v1/partitions/stopped", EMPTY)


def test_letters_of_all_services_are_listed_page_by_page(cli_home: Path, doors: Doors, fengsui):
    def pages(heard: Heard) -> Says:
        last = heard.query.get("cursor") == "7"
        return Says({"items": [LETTER | {"id": 9 if last else 7}], "next": None if last else "7"})

    doors.say("hazards", "/v1/dead-letters", pages)

    ran = fengsui("dead", "list", "--state", "waiting", "--home", cli_home)

    rows = [line.split() for line in ran.out.splitlines()]
    assert ran.code == 0
    assert [" ".join(row[:5]) for row in rows[1:]] == ["hazards 7 alarms 3 41", "hazards 9 alarms 3 41"]
    assert rows[1][-1] == "no·way"
    assert {heard.query["state"] for heard in doors.to("/v1/dead-letters")} == {"waiting"}
    assert {heard.service for heard in doors.heard} == {"ingest", "hazards", "notify", "reporting"}


def test_letters_of_one_service_are_listed_as_json_lines(cli_home: Path, doors: Doors, fengsui):
    doors.say("hazards", "/v1/dead-letters", Says({"items": [LETTER], "next": None}))

    ran = fengsui("dead", "list", "--service", "hazards", "--json", "--home", cli_home)

    assert orjson.loads(ran.out) == LETTER
    assert {heard.service for heard in doors.heard} == {"hazards"}


def test_a_stopped_partition_is_shown_with_the_way_on(cli_home: Path, doors: Doors, fengsui):
    stopped = {"topic": "alarms", "partition": 3, "next": 42, "stopped": "21 of 100 records were refused"}
    doors.say("hazards", "/v1/partitions/stopped", Says({"items": [stopped], "next": None}))
    doors.say("hazards", "/v1/partitions/alarms/3/resume", Says({"state": "resumed"}))

    listed = fengsui("dead", "list", "--home", cli_home)
    resumed = fengsui("dead", "resume", "hazards", "alarms", 3, "--home", cli_home)

    assert listed.out.splitlines()[-1] == (
        "alarms/3 is stopped: 21 of 100 records were refused (`fengsui dead resume hazards alarms 3`)"
    )
    assert (resumed.code, resumed.out) == (0, "hazards goes on with alarms/3\n")


def test_a_service_that_is_down_hides_no_letters_of_the_others(cli_home: Path, doors: Doors, fengsui):
    doors.say("hazards", "/v1/dead-letters", Says({"items": [LETTER], "next": None}))
    doors.say("notify", "/v1/dead-letters", Says(None, 502))
    doors.say("notify", "/v1/partitions/stopped", Says(None, 502))

    ran = fengsui("dead", "list", "--home", cli_home)

    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [["hazards", "7"]]
    assert (ran.code, ran.err) == (1, f"notify at {doors.url('notify')} answers 502 and nothing that says why")


def test_all_services_are_asked_for_both_lists_at_once(cli_home: Path, doors: Doors, fengsui):
    all_asked = asyncio.Barrier(8)

    async def together(_: Heard) -> Says:
        try:
            await asyncio.wait_for(all_asked.wait(), 20)
        except (TimeoutError, asyncio.BrokenBarrierError):
            await all_asked.abort()
            return Says(None, 503)
        return EMPTY

    for service in ("ingest", "hazards", "notify", "reporting"):
        doors.say(service, "/v1/dead-letters", together)
        doors.say(service, "/v1/partitions/stopped", together)

    ran = fengsui("dead", "list", "--home", cli_home)

    assert (ran.code, ran.err, len(doors.heard)) == (0, "", 8)


def test_where_nobody_answers_no_list_is_shown(cli_home: Path, doors: Doors, fengsui):
    for service in ("ingest", "hazards", "notify", "reporting"):
        doors.say(service, "/v1/dead-letters", Says({"code": "unauthorized", "detail": "the token ended"}, 401))

    ran = fengsui("dead", "list", "--home", cli_home)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "ingest refuses: the token ended (unauthorized)"


def test_one_letter_is_shown_whole(cli_home: Path, doors: Doors, fengsui):
    doors.say("hazards", "/v1/dead-letters/7", Says(LETTER | {"payload": "{\x1b[2J"}))

    ran = fengsui("dead", "show", "hazards", 7, "--home", cli_home)

    assert orjson.loads(ran.out) == LETTER | {"payload": "{\x1b[2J"}
    assert "\x1b" not in ran.out


def test_a_letter_is_replayed_as_it_is_or_corrected(tmp_path: Path, cli_home: Path, doors: Doors, fengsui):
    (tmp_path / "right.json").write_text('{"title":"对"}', "utf-8")
    doors.say("hazards", "/v1/dead-letters/7/replay", Says({"id": 7, "state": "replayed"}))

    plain = fengsui("dead", "replay", "hazards", 7, "--home", cli_home)
    corrected = fengsui(
        "dead", "replay", "hazards", 7, "--payload", tmp_path / "right.json", "--note", "typo", "--home", cli_home
    )

    assert plain.out == corrected.out == "dead letter 7 of hazards is replayed\n"
    assert [heard.json for heard in doors.heard] == [{}, {"note": "typo", "payload": '{"title":"对"}'}]


def test_a_letter_is_given_up_with_a_reason(cli_home: Path, doors: Doors, fengsui):
    doors.say("notify", "/v1/dead-letters/8/discard", Says({"id": 8, "state": "discarded"}))

    without = fengsui("dead", "discard", "notify", 8, "--home", cli_home)
    given = fengsui("dead", "discard", "notify", 8, "--note", "a test", "--home", cli_home)

    assert without.code != 0
    assert (given.code, given.out) == (0, "dead letter 8 of notify is discarded\n")
    assert [heard.json for heard in doors.heard] == [{"note": "a test"}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "kafka", "7"], "there is no service 'kafka'; there are console, ingest, hazards, notify, reporting"),
        (["list", "--service", "kafka"], "there is no service 'kafka'"),
        (["list", "--state", "lost"], "there is no state 'lost'"),
    ],
)
def test_what_is_not_there_is_said(words: list[str], sentence: str, cli_home: Path, fengsui):
    ran = fengsui("dead", *words, "--home", cli_home)

    assert ran.code == 1
    assert sentence in ran.err
