"""Who is on duty: primaries first, then backups, else the reason why nobody."""

from dataclasses import replace
from datetime import timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.duty import Nobody
from shared.vocabulary import Position
from tests.notify.world import CITY, COUNTY, NOW, PROVINCE, contact, duty, shift, system

MICROSECOND = timedelta(microseconds=1)


def test_all_primaries_who_can_be_reached_are_told() -> None:
    team = duty(
        shift(contact("anna")),
        shift(contact("bert")),
        shift(contact("mute", reachable=False)),
        shift(contact("cora"), position=Position.BACKUP),
    ).team(COUNTY, NOW)

    assert not isinstance(team, Nobody)
    assert [each.contact for each in team] == ["anna", "bert"]


def test_backups_are_told_when_no_primary_can_be_reached() -> None:
    team = duty(shift(contact("mute", reachable=False)), shift(contact("cora"), position=Position.BACKUP)).team(
        COUNTY, NOW
    )

    assert not isinstance(team, Nobody)
    assert [each.contact for each in team] == ["cora"]


def test_an_empty_roster_is_nobody_on_duty() -> None:
    assert duty(shift(contact("boris", CITY))).team(COUNTY, NOW) is Nobody.NOBODY_ON_DUTY


def test_a_roster_of_contacts_without_a_channel_is_unreachable() -> None:
    assert duty(shift(contact("mute", reachable=False))).team(COUNTY, NOW) is Nobody.UNREACHABLE


def test_a_shift_begins_at_its_start_and_is_over_at_its_end() -> None:
    early = shift(contact("anna"))
    late = replace(early, contact=contact("bert"), start=early.end, end=early.end + timedelta(hours=12))
    change = early.end

    names = [duty(early, late).team(COUNTY, at) for at in (change - MICROSECOND, change, late.end)]

    assert names == [(contact("anna"),), (contact("bert"),), Nobody.NOBODY_ON_DUTY]


def test_a_contact_on_two_rosters_is_told_once() -> None:
    assert duty(shift(contact("anna")), shift(contact("anna"))).team(COUNTY, NOW) == (contact("anna"),)


def test_systems_are_told_of_every_region_inside_their_own() -> None:
    known = duty(
        systems=[system("province"), system("jilin", CITY), system("longtan", COUNTY), system("siping", "220300")]
    )

    assert [each.contact for each in known.systems_over(COUNTY)] == ["jilin", "longtan", "province"]
    assert [each.contact for each in known.systems_over(CITY)] == ["jilin", "province"]
    assert [each.contact for each in known.systems_over(PROVINCE)] == ["province"]


@given(st.integers(0, 10 * 24 * 60), st.integers(-14, 14))
def test_shifts_of_twelve_hours_cover_every_minute_once_in_any_zone(minute: int, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    first = NOW.astimezone(zone)
    shifts = [
        replace(
            shift(contact(f"officer-{number}")),
            start=first + number * timedelta(hours=12),
            end=first + (number + 1) * timedelta(hours=12),
        )
        for number in range(21)
    ]

    team = duty(*shifts).team(COUNTY, NOW + timedelta(minutes=minute))

    assert not isinstance(team, Nobody)
    assert len(team) == 1
