"""How far the demo has come: one world that begins once, and that a feed which was away takes up again."""

from pydantic import BaseModel, ConfigDict

from deploy.demo import machine
from deploy.demo.faults import observed
from deploy.demo.province import Enterprise, by_slug, enterprises
from deploy.demo.pushed import CloudEvent, overdue_clears
from deploy.demo.signals import Reading, instants

HISTORY_S = 240
"""What a new world shows of the time before it began; under the door's five minutes, so that nothing comes late."""

LONGEST_GAP_S = 900
"""A feed that was away for longer leaves the gap open: a night's faults in one minute would be a flood."""


class World(BaseModel):
    """Everything the demo sends follows from this and the time; all times are Unix seconds.

    The machine's data row `row` stands at `row_at`. `until` holds for each enterprise, by credit code, up to when the
    door has taken what it sends.
    """

    model_config = ConfigDict(extra="forbid")

    epoch: int
    row: int
    row_at: int
    until: dict[str, int]


def begin(now: int) -> World:
    """A new world, a little before the machine fails."""
    until = {enterprise.uscc: now - HISTORY_S for enterprise in enterprises()}
    return World(epoch=now, row=machine.START_ROW, row_at=now, until=until)


def resume(world: World, now: int) -> tuple[World, dict[str, list[CloudEvent]]]:
    """The world as it goes on at `now`, and what each enterprise owes first: ends of alarms that fell into the gap."""
    until, owed = dict(world.until), dict[str, list[CloudEvent]]()
    for enterprise in enterprises():
        since = until.setdefault(enterprise.uscc, now)
        if now - since > LONGEST_GAP_S:
            owed[enterprise.uscc] = overdue_clears(enterprise, world.epoch, since, now)
            until[enterprise.uscc] = now
    owner = by_slug()[machine.ENTERPRISE].uscc
    row, row_at = world.row, world.row_at
    if owner in owed:
        row, row_at = row + world.until[owner] - row_at, now
    return World(epoch=world.epoch, row=row, row_at=row_at, until=until), owed


def readings(world: World, enterprise: Enterprise, since: int, until: int) -> list[Reading]:
    """What the enterprise measures after `since` and up to `until`, oldest first."""
    found = [
        Reading(point.point, at, value)
        for point in enterprise.points
        if point.usual is not None
        for at in instants(point, since, until)
        if (value := observed(point, world.epoch, at)) is not None
    ]
    if enterprise.slug == machine.ENTERPRISE:
        found += machine.replayed(world.row, world.row_at, since, until)
    return sorted(found, key=lambda reading: reading.at)
