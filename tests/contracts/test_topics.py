"""Who hears and who says what: by the registry of topics, and by nobody's leave."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import orjson
import pytest

import shared.topics
from deploy.contracts import FOLDER, SERVICES, speakers, takings
from shared.settings import Settings
from shared.topics import TOPICS, Topic

SOURCES = FOLDER.parent / "services"
NAMES = {name: topic for name, topic in vars(shared.topics).items() if isinstance(topic, Topic)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_topic_that_is_heard_exists_and_is_heard_once(service):
    heard = [taking.topic for taking in takings(service)]

    assert all(TOPICS[topic.name] is topic for topic in heard)
    assert len({topic.name for topic in heard}) == len(heard)


@pytest.mark.parametrize("service", SERVICES)
def test_a_group_is_named_by_its_service_and_its_topic(service):
    built = import_module(f"services.{service}.app").build(Settings())

    assert [intake._group for intake in built.intakes] == [f"{service}.{t.topic.name}" for t in takings(service)]


def topics_said(source: str) -> Iterator[str]:
    """Names of topics that a module uses for anything but hearing them."""
    tree = ast.parse(source)
    heard = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "takes"
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in NAMES and id(node) not in heard:
            yield node.id


def modules() -> list[Path]:
    """Modules of services that know a topic; the console only listens (see below)."""
    known = (path for path in SOURCES.rglob("*.py") if "from shared.topics import" in path.read_text("utf-8"))
    return sorted(path for path in known if path.relative_to(SOURCES).parts[0] != "console")


@pytest.mark.parametrize("module", modules(), ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_nobody_says_what_he_does_not_own(module):
    service = module.relative_to(SOURCES).parts[0]

    assert {name for name in topics_said(module.read_text("utf-8")) if NAMES[name].owner != service} == set()


def test_the_console_says_nothing():
    sources = [path.read_text("utf-8") for path in (SOURCES / "console").rglob("*.py")]

    assert not [source for source in sources if "outbox" in source or "shared.producer" in source]


def test_saying_is_told_from_hearing():
    source = "@takes(ALARMS)\nasync def hear(db, alarms):\n    await outbox.put(db, CASES, [])\n"

    assert list(topics_said(source)) == ["CASES"]


def test_the_document_says_who_says_and_who_hears_every_topic():
    operations = orjson.loads((FOLDER / "asyncapi.json").read_bytes())["operations"]

    wanted = {f"{speaker}.says.{topic.name}" for topic in TOPICS.values() for speaker in speakers(topic)}
    wanted |= {f"{service}.hears.{taking.topic.name}" for service in SERVICES for taking in takings(service)}
    assert set(operations) == wanted
