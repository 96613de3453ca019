"""Who is on duty (值班): the contacts whom a roster names for a region at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from shared.codes import prefix_of
from shared.vocabulary import ContactRole, Position


class Nobody(StrEnum):
    """Why nobody can be told at a tier."""

    NOBODY_ON_DUTY = "nobody_on_duty"  # no roster covers the moment
    UNREACHABLE = "unreachable"  # those on duty have no channel that works


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or system that can be told; reachable with a channel that works."""

    contact: str
    name: str
    region: str
    role: ContactRole
    reachable: bool


@dataclass(frozen=True, slots=True)
class Shift:
    """One contact's place on a region's roster, from `start` until just before `end`."""

    region: str
    contact: Contact
    position: Position
    start: datetime
    end: datetime

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Duty:
    """What a decision needs to know of rosters and systems."""

    shifts: tuple[Shift, ...] = ()
    systems: tuple[Contact, ...] = ()

    def team(self, region: str, at: datetime) -> tuple[Contact, ...] | Nobody:
        """Whom to tell in a region: all primaries who can be reached, else the backups, else why nobody."""
        on = [shift for shift in self.shifts if shift.region == region and shift.covers(at)]
        for position in (Position.PRIMARY, Position.BACKUP):
            if found := _distinct(shift.contact for shift in on if shift.position is position):
                return found
        return Nobody.UNREACHABLE if on else Nobody.NOBODY_ON_DUTY

    def systems_over(self, region: str) -> tuple[Contact, ...]:
        """The systems whose region holds the given one: they are told everything, rostered or not."""
        return _distinct(system for system in self.systems if region.startswith(prefix_of(system.region)))


@dataclass(frozen=True, slots=True)
class Gap:
    """From `start` until just before `end` nobody can be told, and why."""

    start: datetime
    end: datetime
    reason: Nobody


def following(shifts: Iterable[Shift], at: datetime) -> list[Shift]:
    """The shifts that begin next after a moment, all at once."""
    later = [shift for shift in shifts if shift.start > at]
    first = min((shift.start for shift in later), default=None)
    return [shift for shift in later if shift.start == first]


def gaps(region: str, shifts: Iterable[Shift], at: datetime, until: datetime) -> list[Gap]:
    """When a call would find nobody in a region between two moments."""
    duty = Duty(tuple(shifts))
    turns = {turn for shift in duty.shifts for turn in (shift.start, shift.end) if at < turn < until}
    edges = sorted(turns | {at, until})
    found: list[Gap] = []
    for start, end in pairwise(edges):
        team = duty.team(region, start)
        if not isinstance(team, Nobody):
            continue
        if found and found[-1].end == start and found[-1].reason is team:
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(Gap(start, end, team))
    return found


def _distinct(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    reachable = {contact.contact: contact for contact in contacts if contact.reachable}
    return tuple(reachable[name] for name in sorted(reachable))
