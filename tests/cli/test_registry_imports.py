"""A registry file goes to the door that keeps it, and its errors come back by row and column."""

from pathlib import Path

import pytest

from tests.cli.doors import Doors, Says

COUNTS = {"created": 2, "updated": 0, "unchanged": 1}


@pytest.mark.parametrize(
    ("group", "service", "path"),
    [
        ("enterprise", "ingest", "/v1/enterprises/import"),
        ("point", "ingest", "/v1/points/import"),
        ("contact", "notify", "/v1/contacts/import"),
        ("roster", "notify", "/v1/rosters/import"),
    ],
)
def test_a_file_is_sent_as_it_is(group: str, service: str, path: str, tmp_path: Path, cli_home, doors: Doors, fengsui):
    file = tmp_path / "file.csv"
    file.write_bytes("名称\r\n值".encode("gb18030"))
    doors.say(service, path, Says(COUNTS))

    ran = fengsui(group, "import", file, "--home", cli_home)

    assert (ran.code, ran.out) == (0, "2 created, 0 updated, 1 unchanged\n")
    assert doors.heard[0].body == file.read_bytes()
    assert doors.heard[0].headers["Content-Type"] == "text/csv"


def test_an_encoding_that_is_named_is_read_here(tmp_path: Path, cli_home, doors: Doors, fengsui):
    (tmp_path / "file.csv").write_bytes("名称".encode("utf-16"))
    doors.say("ingest", "/v1/enterprises/import", Says(COUNTS))

    fengsui("enterprise", "import", tmp_path / "file.csv", "--encoding", "utf-16", "--home", cli_home)

    assert doors.heard[0].body.decode() == "名称"


@pytest.mark.parametrize(("encoding", "sentence"), [("ascii", "is not in the encoding ascii"), ("x", "no encoding")])
def test_an_encoding_that_does_not_fit_sends_nothing(tmp_path, cli_home, doors: Doors, fengsui, encoding, sentence):
    (tmp_path / "file.csv").write_text("名称", "utf-8")

    ran = fengsui("enterprise", "import", tmp_path / "file.csv", "--encoding", encoding, "--home", cli_home)

    assert ran.code == 1
    assert sentence in ran.err
    assert doors.heard == []


def test_wrong_cells_are_shown_by_row_and_column(tmp_path: Path, cli_home, doors: Doors, fengsui):
    (tmp_path / "file.csv").write_text("x")
    faults = [
        {"row": 2, "column": "region", "code": "bad_region", "detail": "no such region [bold]"},
        {"row": 17, "column": "uscc", "code": "bad_length", "detail": "a credit code has 18 characters\x1b[2J"},
    ]
    problem = {"code": "bad_rows", "detail": "2 cells are wrong; nothing was imported", "errors": faults}
    doors.say("ingest", "/v1/points/import", Says(problem, 422))

    ran = fengsui("point", "import", tmp_path / "file.csv", "--home", cli_home)

    table = [line.split() for line in ran.err.splitlines()]
    assert (ran.code, ran.out) == (1, "")
    assert table[0] == ["row", "column", "code", "detail"]
    assert table[1][:3] == ["2", "region", "bad_region"]
    assert "no such region [bold]" in ran.err
    assert table[2][:3] == ["17", "uscc", "bad_length"]
    assert "\x1b" not in ran.err
    assert ran.err.endswith("ingest refuses: 2 cells are wrong; nothing was imported (bad_rows)")


def test_secrets_that_were_made_are_printed(tmp_path: Path, cli_home, doors: Doors, fengsui):
    (tmp_path / "file.csv").write_text("x")
    made = [{"contact": "officer-a", "webhook_secret": "whsec_AAAA"}]
    doors.say("notify", "/v1/contacts/import", Says(COUNTS | {"secrets": made}))

    ran = fengsui("contact", "import", tmp_path / "file.csv", "--home", cli_home)

    assert ran.out.splitlines() == ["2 created, 0 updated, 1 unchanged", "officer-a,whsec_AAAA"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path, cli_home, fengsui):
    ran = fengsui("roster", "import", tmp_path / "none.csv", "--home", cli_home)

    assert ran.code == 1
    assert "none.csv" in ran.err
