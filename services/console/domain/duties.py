"""What the rosters' page shows first: regions where a call would find nobody, now or within the days ahead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Team = Mapping[str, Any]
"""A region with who is on duty now and next, and its gaps, as notify answers it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many regions are manned now, unmanned now, and manned now but not all of the time ahead."""

    manned: int
    unmanned: int
    ahead: int


def unmanned(team: Team, at: str) -> bool:
    """Whether a call would find nobody there at the moment."""
    return any(_moment(gap["start"]) <= _moment(at) < _moment(gap["end"]) for gap in team["gaps"])


def summary(teams: Iterable[Team], at: str) -> Summary:
    """The regions counted."""
    known = list(teams)
    empty = sum(unmanned(team, at) for team in known)
    return Summary(len(known) - empty, empty, sum(bool(team["gaps"]) for team in known) - empty)


def order(teams: Iterable[Team]) -> list[Team]:
    """Those with the earliest gap first, then by code."""
    return sorted(teams, key=lambda team: (not team["gaps"], _first(team), team["region"]))


def _first(team: Team) -> float:
    return min((_moment(gap["start"]).timestamp() for gap in team["gaps"]), default=0.0)


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
