"""SQL stands in files under names, and each statement says in a sentence what it is for."""

from importlib.resources import files

import pytest

from shared.statements import statements

PACKAGES = ["shared", *(f"services.{name}" for name in ("ingest", "hazards", "notify", "reporting", "console"))]
WRITTEN = [package for package in PACKAGES if (files(package) / "queries.sql").is_file()]


@pytest.mark.parametrize("package", WRITTEN)
def test_every_statement_begins_with_its_sentence(package: str) -> None:
    found = statements(package)

    assert found
    for name, sql in found.items():
        sentence, _, query = sql.partition("\n")
        assert sentence.startswith("-- "), name
        assert query.strip(), name


@pytest.mark.parametrize("package", WRITTEN)
def test_no_name_is_given_twice(package: str) -> None:
    text = (files(package) / "queries.sql").read_text("utf-8")

    assert text.count("-- name: ") == len(statements(package))
