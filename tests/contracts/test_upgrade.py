"""Releases run side by side during an upgrade: each reads what the other says, and both make the same of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.contracts import FOLDER, schemas, type_of
from services.hazards.domain.case import tell
from services.hazards.domain.deadlines import DEFAULTS
from services.hazards.domain.ledger import Ledger, take_alarms
from services.hazards.domain.recall import again, by_version
from services.notify.domain.calls import take_events
from services.reporting.domain.tally import is_first_answer, of_alarm, of_answer, of_case
from shared.batches import parse
from shared.events.event import Event
from shared.topics import ALARMS, CASES, NOTIFICATIONS, REPORTS, TOPICS
from tests.notify.world import FULL, NOW, ROUTES
from tests.shared.records import record

RELEASES = sorted(path.parent for path in FOLDER.glob("examples/*/records.jsonl"))
SAID_NOW = dict(schemas())
pytestmark = pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)


def said(release: Path) -> dict[str, list[bytes]]:
    """By topic what a release said, as it stands on the bus."""
    found: dict[str, list[bytes]] = {name: [] for name in TOPICS}
    for line in (release / "records.jsonl").read_bytes().splitlines():
        entry = orjson.loads(line)
        found[entry["topic"]].append(orjson.dumps(entry["value"]))
    return found


def read(release: Path, topic: Any) -> list[Any]:
    return [topic.reader.validate_json(value) for value in said(release)[topic.name]]


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_what_an_earlier_release_said_is_taken(release, topic):
    values = said(release)[topic.name]

    batch = parse(topic, [record(offset, value) for offset, value in enumerate(values)])

    assert (batch.dead, batch.ignored, batch.duplicates, len(batch.events)) == ([], 0, 0, len(values))
    assert {event.type for _, event in batch.events} >= {type_of(kind) for kind in topic.carries}


def test_the_records_hold_every_kind_of_step(release):
    for topic, kinds in ((CASES, "CaseKind"), (NOTIFICATIONS, "NotificationKind")):
        schema = orjson.loads((release / f"{type_of(topic.carries[0])}.schema.json").read_bytes())

        assert {event.data.kind for event in read(release, topic)} == set(schema["$defs"][kinds]["enum"])


def test_the_same_signs_and_commands_make_the_same_cases(release):
    before = read(release, CASES)
    recalled = by_version(before)
    ledger = take_alarms([], [], read(release, ALARMS)[1:], DEFAULTS, {}, recalled)
    reported = Ledger(recalled=recalled)
    for report in read(release, REPORTS):
        reported.report(report, DEFAULTS)

    steps = [*ledger.steps, *reported.steps]
    ends = {case.id: case for case, _ in steps}
    steps += [each for case in ends.values() for each in again(case, recalled, DEFAULTS)]
    now = {step.id: tell(case, step) for case, step in steps}

    assert now == {event.id: event for event in before}


def test_the_same_case_makes_the_same_notifications(release):
    opened, *_ = read(release, CASES)

    board = take_events([], [], [opened], FULL, ROUTES, NOW)

    told = {each.id for call in board.changed.values() for each in call.notifications}
    assert told
    assert told <= {event.data.notification for event in read(release, NOTIFICATIONS)}


def test_what_an_earlier_release_said_is_counted(release):
    facts = [fact for alarm in read(release, ALARMS) for fact in of_alarm(alarm)]
    facts += [fact for change in read(release, CASES) for fact in of_case(change)]
    facts += [of_answer(change) for change in read(release, NOTIFICATIONS) if is_first_answer(change)]

    counted: dict[str, int] = {}
    for fact in facts:
        counted[fact.key.measure] = counted.get(fact.key.measure, 0) + 1
    assert counted == {
        "alarms": 5,
        "cases_opened": 2,
        "cases_closed": 1,
        "seconds_to_close": 1,
        "seconds_to_acknowledge": 1,
    }


def enriched(value: Any) -> Any:
    """The same with a member that nobody knows in every object; `detail` is free, and all of it is kept."""
    if isinstance(value, list):
        return [enriched(each) for each in value]
    if isinstance(value, dict):
        known = {name: each if name == "detail" else enriched(each) for name, each in value.items()}
        return known | {"of_a_later_release": {"x": 1}}
    return value


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_members_of_a_later_release_are_ignored(release, topic):
    for value in said(release)[topic.name]:
        later: Event = topic.reader.validate_json(orjson.dumps(enriched(orjson.loads(value))))

        assert later == topic.reader.validate_json(value)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_types_of_a_later_release_are_passed_over(release, topic):
    value = orjson.loads(said(release)[topic.name][0]) | {"type": "fengsui.later.v1"}

    batch = parse(topic, [record(0, orjson.dumps(value))])

    assert (batch.ignored, batch.dead) == (1, [])


@pytest.mark.parametrize("name", [name for name in SAID_NOW if name.startswith("fengsui.")])
def test_what_is_said_now_an_earlier_release_can_read(release, name):
    file = release / f"{name}.schema.json"

    if file.exists():  # a type that is new is passed over
        assert list(refuses(inlined(orjson.loads(file.read_bytes())), inlined(SAID_NOW[name]))) == []


def inlined(schema: Any, defs: Any = None) -> Any:
    """The schema with each definition where it is referred to; none of ours refers to itself."""
    if isinstance(schema, list):
        return [inlined(each, defs) for each in schema]
    if not isinstance(schema, dict):
        return schema
    defs = schema.get("$defs", defs)
    found = {name: inlined(each, defs) for name, each in schema.items() if name not in ("$defs", "$ref")}
    if "$ref" in schema:
        return inlined(defs[schema["$ref"].removeprefix("#/$defs/")], defs) | found
    return found


def refuses(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """What a reader of the old schema would refuse of what a writer of the new one may say."""
    if isinstance(old, list) and isinstance(new, list):
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from refuses(one, other, f"{place}/{number}")
        if place.endswith(("anyOf", "enum")):
            yield from (f"{place} may now be {each}" for each in new if each not in old and place.endswith("enum"))
            if place.endswith("anyOf") and len(new) > len(old):
                yield f"{place} may now be something else"
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for name in set(old.get("required", ())) - set(new.get("required", ())):
        if "default" not in old.get("properties", {}).get(name, {}):
            yield f"{place}/{name} may now be missing"
    for name in ("type", "const", "format"):
        if name in old and old[name] != new.get(name):
            yield f"{place} was {old[name]} and is {new.get(name)}"
    if "enum" in old and "enum" not in new and new.get("const") not in old["enum"]:
        yield f"{place} may now be {new.get('const', 'any value')}"
    for name in old.keys() & new.keys() - {"required"}:
        yield from refuses(old[name], new[name], f"{place}/{name}")


OLD = {
    "$defs": {"Words": {"type": "string"}, "Text": {"type": "string"}, "Number": {"type": "number"}},
    "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer"}, "d": {"$ref": "#/$defs/Words"}},
    "required": ["a", "b"],
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"properties": OLD["properties"] | {"c": {}}}, []),
        ({"required": ["a", "b", "c"]}, []),
        ({"required": ["a"]}, ["/b may now be missing"]),
        (
            {"properties": OLD["properties"] | {"a": {"enum": ["x", "y", "z"]}}},
            ["/properties/a/enum may now be z"],
        ),
        ({"properties": OLD["properties"] | {"b": {"type": "number"}}}, ["/properties/b was integer and is number"]),
        ({"properties": OLD["properties"] | {"a": {"type": "string"}}}, ["/properties/a may now be any value"]),
        (
            {"properties": OLD["properties"] | {"d": {"$ref": "#/$defs/Number"}}},
            ["/properties/d was string and is number"],
        ),
        ({"properties": OLD["properties"] | {"d": {"$ref": "#/$defs/Text"}}}, []),
    ],
)
def test_what_an_earlier_reader_would_refuse_is_noticed(release, change, found):
    assert list(refuses(inlined(OLD), inlined(OLD | change))) == found
