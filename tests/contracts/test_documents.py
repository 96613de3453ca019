"""The committed contracts are what the code says, and within .v1 they only ever grow."""

import subprocess
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from deploy.contracts import FOLDER, documents

COMMITTED = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*"))


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return documents()


def test_the_committed_documents_are_those_that_the_code_makes(made):
    """If this fails: `python -m deploy.contracts`, and look at the difference as an enterprise would."""
    kept = [path for path in COMMITTED if not path.startswith("examples/")]

    assert kept == sorted(made)
    assert [path for path in kept if (FOLDER / path).read_bytes() != made[path]] == []


def before(path: str) -> Any:
    """The document as it was last committed, else as it stands in the folder."""
    command = ["git", "-C", str(FOLDER.parent), "show", f"HEAD:contracts/{path}"]
    try:
        shown = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        shown = (FOLDER / path).read_bytes()
    return orjson.loads(shown)


def breaks(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """What a reader or writer of the old schema would trip over in the new one."""
    if isinstance(old, list):
        if isinstance(new, list):
            for number, (one, other) in enumerate(zip(old, new, strict=False)):
                yield from breaks(one, other, f"{place}/{number}")
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for name in old.get("properties", {}):
        if name not in new.get("properties", {}):
            yield f"{place}/{name} has vanished"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{place}/{name} has become required"
    for value in old.get("enum", ()):
        if value not in new.get("enum", [value]):
            yield f"{place} may no longer be {value}"
    if old.get("type", new.get("type")) != new.get("type"):
        yield f"{place} was {old['type']} and is {new.get('type')}"
    for name in old.keys() & new.keys() - {"required", "enum", "type"}:
        yield from breaks(old[name], new[name], f"{place}/{name}")


@pytest.mark.parametrize("path", [path for path in COMMITTED if path.startswith("events/")])
def test_within_a_version_nothing_vanishes_and_nothing_becomes_required(made, path):
    assert list(breaks(before(path), orjson.loads(made[path]))) == []


OLD = {"properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"properties": OLD["properties"] | {"c": {}}}, []),
        ({"required": []}, []),
        ({"properties": {"a": OLD["properties"]["a"]}}, ["/b has vanished"]),
        ({"required": ["a", "b"]}, ["/b has become required"]),
        ({"properties": OLD["properties"] | {"a": {"enum": ["x"]}}}, ["/properties/a may no longer be y"]),
        (
            {"properties": OLD["properties"] | {"b": {"type": "string"}}},
            ["/properties/b was integer and is string"],
        ),
    ],
)
def test_a_break_is_noticed(change, said):
    assert list(breaks(OLD, OLD | change)) == said
