"""Every command finds its stack, or says in one sentence why there is none."""

from pathlib import Path

import pytest

from shared.access import Tokens
from tests.cli.doors import Doors, Says

EMPTY = Says({"items": [], "next": None})


async def test_a_home_is_asked_as_an_admin_of_its_own(cli_home: Path, doors: Doors, fengsui):
    doors.say("ingest", "/v1/keys", EMPTY)

    ran = fengsui("key", "list", "--home", cli_home)

    scheme, _, token = doors.heard[0].headers["Authorization"].partition(" ")
    staff = await Tokens(str(cli_home / "secrets" / "jwks.json")).staff(token)
    assert ran.code == 0
    assert (scheme, staff.role, staff.region) == ("Bearer", "admin", "220000")


def test_the_home_may_come_from_the_environment(cli_home: Path, doors: Doors, fengsui):
    doors.say("ingest", "/v1/keys", EMPTY)

    assert fengsui("key", "list", FENGSUI_HOME=str(cli_home)).code == 0


def test_a_url_is_asked_with_the_token_that_is_given(doors: Doors, fengsui):
    doors.say("ingest", "/v1/keys", EMPTY)

    fengsui("key", "list", "--url", doors.url(), "--token", "abc")
    fengsui("key", "list", "--url", doors.url() + "/", FENGSUI_TOKEN="def\n")

    assert [heard.headers["Authorization"] for heard in doors.heard] == ["Bearer abc", "Bearer def"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--url", "http://127.0.0.1:8000"], "--url needs --token"),
        (["--url", "127.0.0.1:8000", "--token", "t"], "--url should be http://HOST:PORT"),
        (["--url", "http://127.0.0.1:8000/v1", "--token", "t"], "--url should be http://HOST:PORT"),
        (["--url", "http://127.0.0.1:x", "--token", "t"], "--url should be http://HOST:PORT"),
        (["--url", "http://127.0.0.1:8000", "--token", "a\nb"], "holds characters"),
    ],
)
def test_what_leads_to_no_stack_is_said(words: list[str], sentence: str, fengsui):
    ran = fengsui("dead", "list", *words)

    assert (ran.code, ran.out) == (1, "")
    assert sentence in ran.err


def test_a_home_where_nothing_runs_stays_as_it_is(tmp_path: Path, fengsui):
    ran = fengsui("cases", "export", "--home", tmp_path / "none")

    assert ran.code == 1
    assert ran.err.startswith(f"no stack runs in {tmp_path / 'none'}: ")
    assert not (tmp_path / "none").exists()


def test_a_service_that_is_away_is_named_with_its_address(cli_home: Path, fengsui):
    ran = fengsui("key", "list", "--url", "http://127.0.0.1:1", "--token", "t")

    assert ran.code == 1
    assert ran.err == "ingest does not answer at http://127.0.0.1:2: connection refused"


def test_a_problem_becomes_one_sentence_with_its_code_and_place(cli_home: Path, doors: Doors, fengsui):
    problem = {"code": "unknown_enterprise", "detail": "no enterprise X is registered", "pointer": "/enterprise"}
    doors.say("ingest", "/v1/keys", Says(problem, 404))

    ran = fengsui("key", "create", "--enterprise", "X", "--home", cli_home)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "ingest refuses: no enterprise X is registered (unknown_enterprise at /enterprise)"


@pytest.mark.parametrize("answer", [Says(b"<html>", 502), Says(b"<html>", 200), Says(b"", 302), Says([1], 200)])
def test_an_answer_that_is_none_of_a_service_is_said_to_be_odd(cli_home: Path, doors: Doors, fengsui, answer: Says):
    doors.say("reporting", "/v1/statistics/recount", answer)

    ran = fengsui("statistics", "recount", "--home", cli_home)

    assert ran.code == 1
    assert ran.err.startswith(f"reporting at {doors.url('reporting')} answers {answer.status}")
