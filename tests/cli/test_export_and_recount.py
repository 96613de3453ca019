"""The ledger leaves as a file, whole or not at all, and the figures are proved by a recount."""

from pathlib import Path

import pytest

from tests.cli.doors import Doors, Says

LINES = b'{"id":"1","timeline":[]}\n' * 20_000


def test_the_ledger_flows_to_standard_output(cli_home: Path, doors: Doors, fengsui):
    doors.say("hazards", "/v1/cases/export", Says(LINES))

    ran = fengsui("cases", "export", "--home", cli_home)

    assert (ran.code, ran.out) == (0, LINES.decode())
    assert doors.heard[0].query == {"format": "jsonl"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_ledger_becomes_a_file(form: str, tmp_path: Path, cli_home: Path, doors: Doors, fengsui):
    doors.say("hazards", "/v1/cases/export", Says(b"PK\x03\x04" * 100_000))

    ran = fengsui("cases", "export", "--format", form, "--output", tmp_path / "ledger", "--home", cli_home)

    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / "ledger").read_bytes() == b"PK\x03\x04" * 100_000
    assert doors.heard[0].query == {"format": form}


def test_a_refusal_leaves_the_old_file_as_it_was(tmp_path: Path, cli_home: Path, doors: Doors, fengsui):
    (tmp_path / "ledger").write_text("old")
    doors.say("hazards", "/v1/cases/export", Says({"code": "unauthorized", "detail": "no"}, 401))

    ran = fengsui("cases", "export", "--output", tmp_path / "ledger", "--home", cli_home)

    assert ran.code == 1
    assert (tmp_path / "ledger").read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home", "ledger"]


def test_a_format_that_is_not_there_is_said(cli_home: Path, fengsui):
    ran = fengsui("cases", "export", "--format", "pdf", "--home", cli_home)

    assert (ran.code, ran.err) == (1, "there is no format 'pdf'; there are jsonl, csv and xlsx")


def test_equal_figures_are_said_to_be_equal(cli_home: Path, doors: Doors, fengsui):
    doors.say("reporting", "/v1/statistics/recount", Says({"equal": True, "compared": 12, "differences": []}))

    ran = fengsui("statistics", "recount", "--home", cli_home)

    assert (ran.code, ran.out) == (0, "equal: 12 figures compared\n")


def test_figures_that_differ_fail_and_are_shown(cli_home: Path, doors: Doors, fengsui):
    differences = [{"measure": "alarms", "kept": 3, "recounted": 2}]
    answer = {"equal": False, "compared": 12, "differing": 1, "differences": differences}
    doors.say("reporting", "/v1/statistics/recount", Says(answer))

    ran = fengsui("statistics", "recount", "--home", cli_home)

    assert ran.code == 1
    assert ran.out.splitlines() == [
        "different: 1 of 12 figures; the first of them:",
        '{"measure":"alarms","kept":3,"recounted":2}',
    ]
