"""What a form of a case says, as the body that the ledger takes; what is missing there the ledger itself refuses."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
Fields = Mapping[str, str]


def body_of(action: str, fields: Fields) -> dict[str, Any] | None:
    """The body of an action's form; None for an action that there is not."""
    make = _BODIES.get(action)
    return None if make is None else {name: value for name, value in make(fields).items() if value not in ("", [])}


def _confirm(fields: Fields) -> dict[str, Any]:
    return {"grade": fields.get("grade", "")}


def _start(fields: Fields) -> dict[str, Any]:
    said = {name: fields.get(name, "").strip() for name in ("responsible", "measures", "money", "plan")}
    return {**said, "due_at": _moment(fields.get("due_at", ""))}


def _submit(fields: Fields) -> dict[str, Any]:
    lines = [line.split() for line in fields.get("evidence", "").splitlines()]
    evidence = [{"url": line[1], "sha256": line[0]} for line in lines if len(line) == 2]
    return {"evidence": evidence, "text": fields.get("text", "").strip()}


def _reason(fields: Fields) -> dict[str, Any]:
    return {"reason": fields.get("reason", "").strip()}


def _text(fields: Fields) -> dict[str, Any]:
    return {"text": fields.get("text", "").strip()}


def _moment(given: str) -> str:
    """A form's local time in Asia/Shanghai, with its offset; what is no time stays for the ledger to refuse."""
    try:
        return datetime.fromisoformat(given).replace(tzinfo=SHANGHAI).isoformat(timespec="seconds")
    except ValueError:
        return given


_BODIES: Final[Mapping[str, Callable[[Fields], dict[str, Any]]]] = {
    "confirm": _confirm,
    "start": _start,
    "submit": _submit,
    "accept": _text,
    "return": _reason,
    "void": _reason,
    "comment": _text,
}
ACTIONS: Final = tuple(_BODIES)
