"""A key is shown once and alone, so that a script can take it."""

from pathlib import Path

import pytest

from tests.cli.doors import Doors, Heard, Says

CODES = ["91220203MA00000015", "91220203MA00000028"]


def batch(heard: Heard) -> Says:
    return Says({"items": [{"enterprise": code, "key": f"fs_{code[-2:]}"} for code in heard.json["enterprises"]]}, 201)


def test_one_key_stands_alone_on_standard_output(cli_home: Path, doors: Doors, fengsui):
    doors.say("ingest", "/v1/keys", Says({"key": "fs_a_b"}, 201))

    ran = fengsui("key", "create", "--enterprise", CODES[0], "--name", "dcs", "--home", cli_home)

    assert (ran.code, ran.out, ran.err) == (0, "fs_a_b\n", "")
    assert doors.heard[0].json == {"enterprise": CODES[0], "name": "dcs"}


@pytest.mark.parametrize(
    "content",
    [
        f"{CODES[0]}\n\n{CODES[1]}",
        f"\ufeffuscc\r\n{CODES[0]}\r\n{CODES[1]}\r\n",
        f"name,USCC\n甲,{CODES[0]}\n乙,{CODES[1]}\n丙,\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_makes_a_key_for_each_enterprise(
    content: str, encoding: str, tmp_path: Path, cli_home: Path, doors: Doors, fengsui
):
    (tmp_path / "codes").write_text(content if encoding == "utf-8" else content.lstrip("\ufeff"), encoding)
    doors.say("ingest", "/v1/keys/batch", batch)

    ran = fengsui("key", "create", "--file", tmp_path / "codes", "--home", cli_home)

    assert ran.code == 0
    assert ran.out.splitlines() == [f"{code},fs_{code[-2:]}" for code in CODES]


@pytest.mark.parametrize("content", ["", "\n", "uscc\n", "a,b\nc,d\n"])
def test_a_file_that_names_nobody_is_refused(content: str, tmp_path: Path, cli_home: Path, doors: Doors, fengsui):
    (tmp_path / "codes").write_text(content)

    ran = fengsui("key", "create", "--file", tmp_path / "codes", "--home", cli_home)

    assert (ran.code, ran.out, doors.heard) == (1, "", [])


@pytest.mark.parametrize("words", [[], ["--enterprise", "X", "--file", "F"]])
def test_it_must_be_said_for_whom(words: list[str], cli_home: Path, fengsui):
    ran = fengsui("key", "create", *words, "--home", cli_home)

    assert ran.code == 1
    assert "--enterprise" in ran.err


def test_keys_are_listed_by_prefix_and_revoked_by_it(cli_home: Path, doors: Doors, fengsui):
    doors.say("ingest", "/v1/keys", Says({"items": [{"prefix": "abc", "uscc": CODES[0], "name": "dcs"}], "next": None}))
    doors.say("ingest", "/v1/keys/abc/revoke", Says({"prefix": "abc", "state": "revoked"}))

    listed = fengsui("key", "list", "--home", cli_home)
    revoked = fengsui("key", "revoke", "abc", "--home", cli_home)

    assert listed.out.splitlines()[1].split()[:3] == ["abc", CODES[0], "dcs"]
    assert (revoked.code, revoked.out) == (0, "key abc is revoked\n")
