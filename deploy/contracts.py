"""The contracts that others build against, made from the code: AsyncAPI, OpenAPI, JSON Schemas, who may ask what.

`python -m deploy.contracts` writes them into contracts/. The examples there are written once by hand and never made
anew, for what was said in the past must be understood for ever; in a folder for each release stands what it said.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic.json_schema import models_json_schema

from services.ingest.domain.admission import TYPES
from services.ingest.doors.description import FRAME, pushed
from shared.consumer import Taking
from shared.events.event import Event
from shared.rights import declared
from shared.settings import Settings
from shared.topics import TOPICS, Topic
from shared.vocabulary import Role

FOLDER: Final = Path(__file__).parent.parent / "contracts"
SERVICES: Final = ("ingest", "hazards", "notify", "reporting")
FACES: Final = (*SERVICES, "console")

Document = dict[str, Any]


def documents() -> dict[str, bytes]:
    """Every document by its path in contracts/."""
    made: dict[str, Document] = {"asyncapi.json": asyncapi()}
    made |= {f"{service}.openapi.json": openapi(service) for service in SERVICES}
    made |= {f"events/{name}.schema.json": schema for name, schema in schemas()}
    written = {path: orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n" for path, document in made.items()}
    return written | {"rights.csv": rights().encode()}


def openapi(service: str) -> Document:
    """What a service's application answers, built without any server."""
    app = import_module(f"services.{service}.app").build(Settings()).app
    found: Document = app.openapi()
    return found


def rights() -> str:
    """Every route and what each role may: yes, no, or only the province's staff."""
    lines = [("service", "method", "path", "right", *Role)]
    lines += [
        (service, each.method, each.path, each.right, *map(each.may, Role))
        for service in FACES
        for each in declared(import_module(f"services.{service}.app").build(Settings()).app)
    ]
    return "".join(",".join(line) + "\n" for line in lines)


def takings(service: str) -> Sequence[Taking]:
    """What a service hears."""
    found: Sequence[Taking] = import_module(f"services.{service}.app").TAKINGS
    return found


def speakers(topic: Topic) -> Sequence[str]:
    """The services that say it."""
    return (topic.owner,) if topic.owner else SERVICES


def schemas() -> Iterator[tuple[str, Document]]:
    """JSON Schemas: of every event on the bus, and of what the door takes."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    for topic in TOPICS.values():
        for kind in topic.carries:
            yield type_of(kind), dialect | kind.model_json_schema()
    for name in TYPES:
        yield f"pushed.{name}", dialect | pushed(name)
    yield "pushed.readings", dialect | FRAME


def asyncapi() -> Document:
    """The bus: each topic, what it carries, who says it and who hears it."""
    kinds = [kind for topic in TOPICS.values() for kind in topic.carries]
    _, definitions = models_json_schema(
        [(kind, "validation") for kind in kinds], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fengsui on Kafka",
            "version": "1",
            "description": "Records are CloudEvents 1.0 in structured JSON mode. Within .v1 only optional members are "
            "added; readers ignore members and types that they do not know.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": dict(_operations()),
        "components": {
            "messages": {type_of(kind): _message(kind) for kind in kinds},
            "schemas": definitions["$defs"],
        },
    }


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.keyed_by}; owned by {topic.owner or 'every service'}.",
        "messages": {type_of(kind): {"$ref": f"#/components/messages/{type_of(kind)}"} for kind in topic.carries},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    **{name: int(value) for name, value in topic.configs().items() if value.isdigit()},
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(kind: type[Event]) -> Document:
    return {
        "name": type_of(kind),
        "title": kind.__name__,
        "description": (kind.__doc__ or "").strip(),
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }


def _operations() -> Iterator[tuple[str, Document]]:
    for topic in TOPICS.values():
        for speaker in speakers(topic):
            yield f"{speaker}.says.{topic.name}", {"action": "send", **_on(topic)}
    for service in SERVICES:
        for taking in takings(service):
            group = {"type": "string", "const": f"{service}.{taking.topic.name}"}
            yield (
                f"{service}.hears.{taking.topic.name}",
                {
                    "action": "receive",
                    "title": getattr(taking.handle, "__name__", ""),
                    "description": (taking.handle.__doc__ or "").strip(),
                    **_on(taking.topic),
                    "bindings": {"kafka": {"groupId": group, "bindingVersion": "0.5.0"}},
                },
            )


def _on(topic: Topic) -> Document:
    channel = f"#/channels/{topic.name}"
    return {
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{type_of(kind)}"} for kind in topic.carries],
    }


def type_of(kind: type[Event]) -> str:
    """The event's `type` on the wire."""
    return str(kind.model_fields["type"].default)


def write(folder: Path = FOLDER) -> None:
    """Writes every document, and removes those that are made no more."""
    made = documents()
    for old in folder.rglob("*.json"):
        place = old.relative_to(folder)
        if place.as_posix() not in made and place.parts[0] != "examples":
            old.unlink()
    for path, content in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


if __name__ == "__main__":
    write()
