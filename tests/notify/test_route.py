"""Routes: where a call begins, where it climbs, and how long each tier has."""

import pytest

from services.notify.domain.route import first_tier, is_ascending, next_tier, time_to_answer
from shared.vocabulary import Level, Tier
from tests.notify.world import MINUTE, ROUTES


@pytest.mark.parametrize(
    ("level", "way"),
    [
        (Level.RED, [(Tier.COUNTY, 5), (Tier.CITY, 10), (Tier.PROVINCE, 10)]),
        (Level.ORANGE, [(Tier.COUNTY, 10), (Tier.CITY, 20)]),
        (Level.YELLOW, [(Tier.COUNTY, 30)]),
        (Level.BLUE, [(Tier.COUNTY, 120)]),
    ],
)
def test_a_route_climbs_as_the_table_says(level: Level, way: list[tuple[Tier, int]]) -> None:
    tier: Tier | None = first_tier(ROUTES, level, Tier.COUNTY)
    found = []
    while tier is not None:
        found.append((tier, time_to_answer(ROUTES, level, tier) // MINUTE))
        tier = next_tier(ROUTES, level, tier)

    assert found == way


def test_a_city_or_province_begins_at_its_own_tier() -> None:
    assert first_tier(ROUTES, Level.RED, Tier.CITY) is Tier.CITY
    assert first_tier(ROUTES, Level.YELLOW, Tier.PROVINCE) is Tier.PROVINCE


def test_a_route_without_the_county_begins_above_it() -> None:
    routes = ROUTES | {Level.BLUE: {Tier.CITY: MINUTE}}

    assert first_tier(routes, Level.BLUE, Tier.COUNTY) is Tier.CITY


def test_a_tier_beyond_the_route_has_the_time_of_its_last() -> None:
    assert time_to_answer(ROUTES, Level.ORANGE, Tier.PROVINCE) == 20 * MINUTE


def test_only_rising_tiers_can_all_be_reached() -> None:
    assert is_ascending([Tier.COUNTY, Tier.PROVINCE])
    assert not is_ascending([Tier.CITY, Tier.COUNTY])
    assert not is_ascending([Tier.CITY, Tier.CITY])
