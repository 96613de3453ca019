"""Tells the way of one pushed event from what every service says of it: what is done, held, on its way or missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploy.refusal import Refusal

Answer = Mapping[str, Any]
MANY = "{count} enterprises used these names; say which by --enterprise: {named}"
HEARTBEAT = "fengsui.heartbeat.v1"
ON_THE_WAY = "not there yet: {service} has {lag} records before it"


class State(StrEnum):
    """What a line of the way says."""

    DONE = "done"
    HELD = "held"
    WAITING = "on its way"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, or that should have."""

    stage: str
    at: str | None
    state: State
    what: str


def event_of(answers: Mapping[str, Answer], records: Sequence[Answer]) -> str | None:
    """The id of the event that these names mean, None when nobody holds it; a refusal when they mean several."""
    owners: dict[str, str | None] = {row["id"]: None for a in answers.values() for row in a["taken"] if row["digest"]}
    owners |= {row["event_id"]: None for a in answers.values() for row in a["dead"] if row["event_id"]}
    owners |= {step["cause"]: step["enterprise"] for step in answers["hazards"]["steps"] if step["cause"] in owners}
    owners |= {record["event"]: record["enterprise"] for record in records}
    if len(owners) > 1:
        named = ", ".join(sorted(name or "one that is not known here" for name in owners.values()))
        raise Refusal(MANY.format(count=len(owners), named=named))
    return next(iter(owners), None)


def way_of(event: str, answers: Mapping[str, Answer], search: Answer) -> list[Line]:
    """The whole way of an event, stage by stage."""
    lines = _on_the_bus(event, search)
    if _pushed(answers["ingest"], event) or any(record["type"] == HEARTBEAT for record in search["items"]):
        heard = "heard, and here the way of a heartbeat ends"
        return lines + _verdict("ingest", event, answers["ingest"], ("readings",), heard)
    lines += _verdict("hazards", event, answers["hazards"], ("alarms", "reports"), "taken in")
    steps = [step for step in answers["hazards"]["steps"] if step["cause"] == event]
    for step in steps:
        lines += _step(step)
    lines += _told(steps, answers["notify"])
    lines += _verdict("reporting", event, answers["reporting"], ("alarms", "reports"), "taken in")
    return [*lines, *_facts(event, steps, answers)]


def whole(lines: Iterable[Line]) -> bool:
    """Whether everything is there that should be."""
    return all(line.state in (State.DONE, State.HELD) for line in lines)


def _pushed(answer: Answer, event: str) -> list[Answer]:
    return [row for row in answer["taken"] if row["id"] == event]


def _on_the_bus(event: str, search: Answer) -> list[Line]:
    lines = []
    for record in (record for record in search["items"] if record["event"] == event):
        place = f"{record['topic']}/{record['partition']} at offset {record['offset']}"
        door = f"accepted at the door {record['accepted']}, " if record["accepted"] else ""
        lines.append(Line("bus", record["at"], State.DONE, f"{place}; {door}digest {record['digest']}"))
    missing = f"its record is not among the {search['searched']} that were looked through; it may be gone by age"
    return lines or [Line("bus", None, State.HELD, missing)]


def _verdict(service: str, event: str, answer: Answer, topics: Sequence[str], done: str) -> list[Line]:
    """What a service decided of the pushed event itself."""
    lines = [
        Line(service, row["at"], State.HELD if row["held"] else State.DONE, row["held"] or done)
        for row in _pushed(answer, event)
    ]
    for letter in answer["dead"]:
        if letter["event_id"] == event:
            what = f"dead letter {letter['id']} ({letter['state']}): {letter['reason']}, {letter['detail']}"
            lines.append(Line(service, letter["at"], State.HELD, what))
    return lines or [_absent(service, answer, topics)]


def _absent(service: str, answer: Answer, topics: Sequence[str], what: str = "") -> Line:
    lags = [answer["lag"].get(topic) for topic in topics]
    if any(lag is None for lag in lags):
        return Line(service, None, State.WAITING, f"{what}not there, and Kafka does not say how far {service} is")
    lag = sum(lag for lag in lags if lag)
    if lag:
        return Line(service, None, State.WAITING, what + ON_THE_WAY.format(service=service, lag=lag))
    return Line(service, None, State.MISSING, f"{what}not there, though {service} has read all there is")


def _step(step: Answer) -> list[Line]:
    case = f"{step['kind']}: case {step['case_id']} version {step['version']} ({step['level']}, {step['title']})"
    lines = [Line("case", step["written_at"], State.DONE, f"{case}, which is {step['state']} now")]
    if step["queued"] and not step["sent_at"]:
        lines.append(Line("case", None, State.WAITING, "not said on the bus yet: it waits in the outbox of hazards"))
    return lines


def _told(steps: Sequence[Answer], answer: Answer) -> list[Line]:
    """Who was told because of each step."""
    lines = []
    for step in steps:
        verdicts = _verdict("notify", step["id"], answer, ("cases",), f"heard that the case was {step['kind']}")
        lines += verdicts
        for call in (call for call in answer["calls"] if call["id"] == step["id"]):
            answered = f", by {call['answered_by']} at {call['answered_at']}" if call["answered_by"] else ""
            lines.append(Line("call", call["opened_at"], State.DONE, f"{call['state']} at {call['tier']}{answered}"))
            for notification in (each for each in answer["notifications"] if each["call"] == call["id"]):
                lines += _notification(notification)
    return lines


def _notification(told: Answer) -> list[Line]:
    reason = f" ({told['reason']})" if told["reason"] else ""
    whom = f"to {told['contact'] or 'nobody'} ({told['tier']}): {told['state']}{reason}"
    lines = [Line("notification", told["created_at"], State.HELD if told["reason"] else State.DONE, whom)]
    for attempt in told["attempts"]:
        what = f"{attempt['channel']} of {attempt['message']}: {attempt['outcome']}, {attempt['detail']}"
        lines.append(Line("attempt", attempt["at"], State.DONE, what))
    if told["acknowledged_at"]:
        lines.append(Line("answer", told["acknowledged_at"], State.DONE, f"acknowledged by {told['acknowledged_by']}"))
    return lines


def _facts(event: str, steps: Sequence[Answer], answers: Mapping[str, Answer]) -> list[Line]:
    """In which figures it counted, itself and by the steps that followed from it."""
    reporting = answers["reporting"]
    heard = {row["id"] for row in reporting["taken"]}
    lines = [
        _absent("reporting", reporting, ("cases",), f"that the case was {step['kind']}: ")
        for step in steps
        if step["id"] not in heard
    ]
    cases = {step["case_id"] for step in steps}
    counted = [fact for fact in reporting["facts"] if fact["id"] == event or fact["case_id"] in cases]
    for fact in counted:
        where = f"{fact['day']}, {fact['region']}, {fact['industry']}, {fact['level']}"
        lines.append(Line("fact", fact["at"], State.DONE, f"counted in {fact['measure']}: {where}"))
    return lines
