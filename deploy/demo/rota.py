"""Who answers in the demo province: officers and leaders of county, city and province, round the clock."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Final

from deploy.demo.province import table
from shared.codes import regions
from shared.vocabulary import ContactRole, Position

DAYS_BEFORE: Final = 1
DAYS_AFTER: Final = 30
SHIFT: Final = timedelta(hours=12)

_SHANGHAI: Final = timezone(timedelta(hours=8))  # no daylight saving since 1991
_DAY_SHIFT_BEGINS: Final = timedelta(hours=8)

PHONE: Final = 9
"""Place of the demo's telephone (deploy.demo.phone) above the port base."""

_PEOPLE: Final = (
    ("officer-a", "值班员甲", ContactRole.OFFICER),
    ("officer-b", "值班员乙", ContactRole.OFFICER),
    ("leader", "带班领导", ContactRole.LEADER),
)


def duty_regions() -> tuple[str, ...]:
    """The province and everything in it: no board begins with a list of gaps."""
    return tuple(sorted(regions()))


def contacts_csv(port_base: int, secret: Callable[[str], str]) -> str:
    """The registry file of contacts; `secret` gives the one that signs what a contact is sent.

    An account of the contact's own name acknowledges for it. The telephone numbers begin with zeros and reach nobody.
    """
    columns = ("contact", "name", "region", "role", "staff", "phone", "webhook", "webhook_secret")
    return table(columns, _contacts(port_base, secret))


def rosters_csv(now: datetime) -> str:
    """The registry file of rosters: two shifts of twelve hours a day, from a day before `now` to thirty days after.

    The two officers take turns as primary. A shift's name holds its date, so a later file repeats the shifts it
    shares with an earlier one and adds the rest.
    """
    columns = ("roster", "region", "contact", "start", "end", "position")
    return table(columns, (row for region in duty_regions() for row in _shifts(region, now)))


def _contacts(port_base: int, secret: Callable[[str], str]) -> Iterator[list[str]]:
    for region in duty_regions():
        for number, (post, title, role) in enumerate(_PEOPLE, 1):
            contact = f"{region}-{post}"
            name = f"示范{regions()[region].name}{title}"
            phone = f"000{region}{number:02d}"
            webhook = f"http://127.0.0.1:{port_base + PHONE}/{contact}"
            yield [contact, name, region, role, contact, phone, webhook, secret(contact)]


def _shifts(region: str, now: datetime) -> Iterator[list[str]]:
    today = now.astimezone(_SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(-DAYS_BEFORE - 1, DAYS_AFTER + 1):
        for half, name in enumerate(("day", "night")):
            start = today + timedelta(days=day) + _DAY_SHIFT_BEGINS + half * SHIFT
            turns = (Position.PRIMARY, Position.BACKUP) if half == 0 else (Position.BACKUP, Position.PRIMARY)
            for officer, position in zip(("officer-a", "officer-b"), turns, strict=True):
                yield [
                    f"{region}-{start:%Y%m%d}-{name}-{position}",
                    region,
                    f"{region}-{officer}",
                    start.isoformat(),
                    (start + SHIFT).isoformat(),
                    position,
                ]
