"""The map's folding: nothing is counted twice, nothing grave is hidden among much."""

from itertools import cycle
from typing import Any

from services.console.domain.places import MOST_MARKS, marks, part_of, parts, parts_of, places, worst
from shared.vocabulary import Level

LEVELS = cycle([None, "blue", "yellow", "orange", "red"])


def _registered(count: int, region: str = "220203") -> list[dict[str, Any]]:
    return [
        {
            "uscc": f"E{n:05}",
            "name": f"企业{n}",
            "region": region,
            "longitude": 122 + n % 97 / 14,
            "latitude": 41 + n % 89 / 18,
        }
        for n in range(count)
    ]


def _troubled(*rows: tuple[str, str | None, int, int]) -> list[dict[str, Any]]:
    return [
        {"uscc": uscc, "name": uscc, "region": "220203", "level": level, "alarms": alarms, "cases": cases}
        for uscc, level, alarms, cases in rows
    ]


def test_the_gravest_level_of_several_is_the_worst() -> None:
    assert worst([None, Level.BLUE, Level.RED, Level.YELLOW]) is Level.RED
    assert worst([None]) is None


def test_an_enterprise_that_is_not_registered_is_shown_all_the_same() -> None:
    found = places(_registered(1), _troubled(("STRANGER", "red", 1, 1)))
    assert [(place.uscc, place.level) for place in found] == [("STRANGER", Level.RED), ("E00000", None)]
    assert found[0].longitude is None


def test_every_city_has_its_row_and_the_gravest_comes_first() -> None:
    found = parts(places(_registered(3), _troubled(("E00001", "orange", 2, 1))), "220000")
    assert {row.region for row in found} == set(parts_of("220000"))
    assert (found[0].region, found[0].level, found[0].enterprises, found[0].alarms, found[0].cases) == (
        "220200",
        Level.ORANGE,
        3,
        2,
        1,
    )


def test_a_city_is_folded_into_its_counties_and_a_county_into_itself() -> None:
    assert part_of("220203", "220000") == "220200"
    assert part_of("220203", "220200") == "220203"
    assert parts_of("220203") == ["220203"]


def test_few_enterprises_have_a_mark_each() -> None:
    found = marks(places(_registered(MOST_MARKS), []))
    assert len(found) == MOST_MARKS
    assert all(mark.count == 1 for mark in found)


def test_of_many_the_gravest_stand_alone_and_no_one_is_lost() -> None:
    trouble = _troubled(*((f"E{n:05}", next(LEVELS), 1, 0) for n in range(1000)))
    known = places(_registered(5000), trouble)

    found = marks(known)

    assert sum(mark.count for mark in found) == 5000
    assert sum(mark.alarms for mark in found) == 1000
    assert len(found) <= MOST_MARKS
    alone = {mark.uscc for mark in found if mark.count == 1}
    assert {place.uscc for place in known[: MOST_MARKS // 2]} <= alone


def test_who_has_no_coordinates_is_not_drawn() -> None:
    row = _registered(1)[0] | {"longitude": None}
    assert marks(places([row], [])) == []
