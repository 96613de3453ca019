"""Who is on duty (值班): the contacts whom a roster names for a region at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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


def _distinct(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    reachable = {contact.contact: contact for contact in contacts if contact.reachable}
    return tuple(reachable[name] for name in sorted(reachable))
