"""Rosters and routes as decisions need them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain.duty import Contact, Duty, Nobody, Shift
from services.notify.domain.route import Routes
from services.notify.store.calls import now
from services.notify.store.rows import columns
from shared.codes import region_at, regions, tier_of
from shared.database import Connection
from shared.statements import statements
from shared.vocabulary import ContactRole, Level, Position, Tier

_SQL = statements("services.notify")
SHIFTS = _SQL["shifts"]
COMING = _SQL["coming_shifts"]
CHANGES = _SQL["changes_of_duty"]
ROSTERED = _SQL["rostered"]
SYSTEMS = _SQL["systems"]
ROUTES = _SQL["routes"]
FORGET_ROUTES = _SQL["forget_routes"]
ADD_ROUTES = _SQL["add_routes"]


async def duty(db: Connection, regions: Iterable[str], at: datetime) -> Duty:
    """Who is on duty at a moment in some regions and all above them, and the systems."""
    wanted = sorted({region_at(region, tier) for region in regions for tier in Tier})
    shifts = [shift_of(row) for row in await db.fetch(SHIFTS, wanted, at)]
    return Duty(tuple(shifts), tuple(contact_of(row) for row in await db.fetch(SYSTEMS)))


async def strength(db: Connection) -> dict[str, int]:
    """How many can be told now: in the province, and in each region that a roster ever named."""
    at = await now(db)
    rows = await db.fetch(ROSTERED, list(regions()))
    rostered = {row["region"] for row in rows} | {code for code in regions() if tier_of(code) is Tier.PROVINCE}
    on = await duty(db, rostered, at)
    teams = {region: on.team(region, at) for region in rostered}
    return {region: 0 if isinstance(team, Nobody) else len(team) for region, team in teams.items()}


async def coming(db: Connection, regions: Sequence[str], at: datetime, until: datetime) -> list[Shift]:
    """The shifts of regions from a moment until another."""
    return [shift_of(row) for row in await db.fetch(COMING, regions, at, until)]


async def changes(db: Connection, regions: Sequence[str], at: datetime) -> dict[str, datetime]:
    """When the duty of each region changes next."""
    return {row["region"]: row["at"] for row in await db.fetch(CHANGES, regions, at)}


async def routes(db: Connection) -> Routes:
    """How long each tier has to answer, by level."""
    found: dict[Level, dict[Tier, timedelta]] = {level: {} for level in Level}
    for row in await db.fetch(ROUTES):
        found[Level(row["level"])][Tier(row["tier"])] = row["ack_within"]
    return found


async def save_routes(db: Connection, wanted: Routes) -> None:
    """Puts routes in the place of those there are."""
    rows = [(level.value, tier.value, within) for level, tiers in wanted.items() for tier, within in tiers.items()]
    await db.execute(FORGET_ROUTES)
    await db.execute(ADD_ROUTES, *columns(rows))


def shift_of(row: Any) -> Shift:
    """A joined row of `rosters` and `contacts` as a value."""
    return Shift(row["region"], contact_of(row), Position(row["position"]), row["starts_at"], row["ends_at"])


def contact_of(row: Any) -> Contact:
    """A row of `contacts`, its region named home, as a value."""
    return Contact(row["contact"], row["name"], row["home"], ContactRole(row["role"]), row["reachable"])
