"""What others wrote and we hand out is what its package holds, to the byte, and its licence lies beside it."""

import csv
from hashlib import sha256

from services.console.pages import STATIC

VENDOR = STATIC / "vendor"
LICENCES = {"0BSD", "MIT", "Apache-2.0"}


def rows() -> list[dict[str, str]]:
    with (VENDOR / "vendor.lock.csv").open(newline="") as lock:
        return list(csv.DictReader(lock))


def test_every_file_is_the_one_that_the_lock_names():
    found = {row["file"]: sha256((VENDOR / row["file"]).read_bytes()).hexdigest() for row in rows()}

    assert found == {row["file"]: row["sha256"] for row in rows()}


def test_the_lock_names_every_file():
    there = {path.name for path in VENDOR.iterdir() if path.is_file()}

    assert there == {row["file"] for row in rows()} | {"vendor.lock.csv"}


def test_every_package_has_a_licence_that_we_may_pass_on():
    for row in rows():
        name = row["package"].strip("@").split("/")[0].removesuffix(".org")

        assert row["licence"] in LICENCES
        assert (VENDOR / "licences" / f"{name}.txt").stat().st_size > 300


def test_no_style_of_others_asks_another_host():
    style = (VENDOR / "tabler.min.css").read_text()

    assert "@import" not in style
    assert "url(http" not in style
    assert 'url("http' not in style
