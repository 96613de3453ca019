"""Judges what the services hold of pushed events: at each stage seen, held with a reason, missing or doubled."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

STAGES: Final = ("ingest", "hazards", "notify", "reporting")
SHOWN: Final = 20

Answer = Mapping[str, Any]
"""What a service says of one event: verdicts, held and dead; all but ingest say effects and doubled as well."""


class Outcome(StrEnum):
    """What became of an event at a stage."""

    SEEN = "seen"
    HELD = "held"
    MISSING = "missing"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class Pushed:
    """An event as an enterprise named it, on its line of the file."""

    line: int
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one event at one stage."""

    stage: str
    outcome: Outcome
    reason: str | None = None


def judge(answers: Mapping[str, Answer]) -> list[Verdict]:
    """The way of one event, however often its names stand in a file: one that was pushed again is the same event, and
    two enterprises may use the same names. Each service says itself how many effects of one enterprise are too many.

    ingest is asked only for what hazards never heard of: a heartbeat ends there. notify hears of what touched a case.
    """
    hazards, ingest = answers["hazards"], answers.get("ingest")
    if not hazards["verdicts"] and not hazards["dead"] and ingest and ingest["verdicts"]:
        return [Verdict("ingest", Outcome.HELD, _reason(ingest) or "heartbeat")]
    found = [_at_hazards(hazards)]
    if hazards["effects"]:
        found.append(_at("notify", answers["notify"]))
    return [*found, _at("reporting", answers["reporting"])]


def _at_hazards(answer: Answer) -> Verdict:
    """Only a row on a timeline is an effect; without one there must be a reason."""
    if answer["doubled"]:
        return Verdict("hazards", Outcome.DOUBLED)
    if answer["effects"]:
        return Verdict("hazards", Outcome.SEEN)
    return _unseen("hazards", answer)


def _at(stage: str, answer: Answer) -> Verdict:
    if answer["doubled"]:
        return Verdict(stage, Outcome.DOUBLED)
    if answer["verdicts"] and not _reason(answer):
        return Verdict(stage, Outcome.SEEN)
    return _unseen(stage, answer)


def _unseen(stage: str, answer: Answer) -> Verdict:
    if reason := _reason(answer) or ("dead_letter" if answer["dead"] else None):
        return Verdict(stage, Outcome.HELD, reason)
    return Verdict(stage, Outcome.MISSING)


def _reason(answer: Answer) -> str | None:
    return next(iter(answer["held"]), None)


@dataclass
class Count:
    """How many events there were of each outcome at one stage."""

    seen: int = 0
    held: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    doubled: int = 0


@dataclass
class Report:
    """All events together; of what is wrong the first cases by name."""

    events: int = 0
    stages: dict[str, Count] = field(default_factory=lambda: {stage: Count() for stage in STAGES})
    wrong: dict[Outcome, list[tuple[Pushed, str]]] = field(
        default_factory=lambda: {Outcome.MISSING: [], Outcome.DOUBLED: []}
    )

    def add(self, event: Pushed, verdicts: list[Verdict]) -> None:
        """One event's way."""
        self.events += 1
        for verdict in verdicts:
            count = self.stages[verdict.stage]
            match verdict.outcome:
                case Outcome.SEEN:
                    count.seen += 1
                case Outcome.HELD:
                    count.held[verdict.reason or ""] += 1
                case Outcome.MISSING:
                    count.missing += 1
                case Outcome.DOUBLED:
                    count.doubled += 1
            if (first := self.wrong.get(verdict.outcome)) is not None:
                first.append((event, verdict.stage))
                first.sort(key=lambda each: each[0].line)  # what was late is added last
                del first[SHOWN:]

    @property
    def clean(self) -> bool:
        """Whether nothing is missing or doubled."""
        return not any(self.wrong.values())

    def json(self) -> dict[str, Any]:
        """The report for a machine."""
        return {
            "events": self.events,
            "stages": self.stages,
            **{
                outcome.value: [
                    {"line": event.line, "source": event.source, "id": event.id, "stage": stage}
                    for event, stage in first
                ]
                for outcome, first in self.wrong.items()
            },
        }
