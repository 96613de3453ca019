"""Every route declares who may ask it: one that does not is refused at the start, and a table says it of all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from shared.access import PROVINCIAL, RIGHTS
from shared.vocabulary import Role

OPEN: Final = frozenset({"/openapi.json", "/static"})
"""Paths that are no routes of ours, and answer whoever comes."""


class Undeclared(Exception):
    """A route on which nobody said who may ask it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A route and the right that it asks for: one of RIGHTS, `key` (an enterprise's) or `public`."""

    method: str
    path: str
    right: str

    def may(self, role: Role) -> str:
        """Whether the role may: yes, no, or only the province's (`province`)."""
        if self.right == "public":
            return "yes"
        if self.right == "key" or role not in RIGHTS[self.right]:
            return "no"
        return "province" if self.right in PROVINCIAL else "yes"


def declared(app: FastAPI) -> Iterator[Declared]:
    """Every route with the narrowest right it asks for, once for each action that its path names; raises Undeclared."""
    for route in iter_route_contexts(app.routes):
        path = str(route.path)
        if path in OPEN:
            continue
        dependant = getattr(route, "dependant", None)
        rights = list(_rights(dependant)) if isinstance(dependant, Dependant) else []
        if not rights:
            raise Undeclared(f"{path} declares no right: give it staff_with(…), keyed or public")
        right, actions = min(rights, key=lambda each: len(RIGHTS.get(each[0], ())))
        for method in sorted(route.methods or ()):
            yield from _each(method, path, right, actions)


def _each(method: str, path: str, right: str, actions: tuple[str, ...]) -> Iterator[Declared]:
    if actions:
        yield from (Declared(method, path.replace("{action}", action), action) for action in actions)
    else:
        yield Declared(method, path, right)


def _rights(dependant: Dependant) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What its dependencies ask for, each right with the actions that stand for it in the path."""
    for inner in dependant.dependencies:
        call: Any = inner.call
        if (right := getattr(call, "right", None)) is not None:
            yield str(right), getattr(call, "actions", ())
        yield from _rights(inner)
