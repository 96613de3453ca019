"""What the map shows: enterprises by the worst that is open there, folded into parts of the region and into marks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, Final

from shared.codes import prefix_of, region_at, regions, tier_of
from shared.vocabulary import GRAVITY, Level, Tier

MOST_MARKS: Final = 300  # ours: beyond it points on a province's map cover each other
CELLS_DEGREES: Final = (0.15, 0.3, 0.6, 1.2)  # ours: from about 12 km by 17 km at 43° north; the province is 10 by 6


@dataclass(frozen=True, slots=True)
class Place:
    """An enterprise where it stands, with the worst open level, open alarms and open cases; no level: all quiet."""

    uscc: str
    name: str
    region: str
    longitude: float | None
    latitude: float | None
    level: Level | None
    alarms: int
    cases: int


@dataclass(frozen=True, slots=True)
class Part:
    """A city (seen from the province) or a county (seen from a city), summed over its enterprises."""

    region: str
    level: Level | None
    enterprises: int
    alarms: int
    cases: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn at one spot: one enterprise, or `count` of them that stand close together."""

    longitude: float
    latitude: float
    level: Level | None
    name: str
    region: str
    uscc: str | None
    count: int
    alarms: int
    cases: int


def worst(levels: Iterable[Level | None]) -> Level | None:
    """The gravest of some levels."""
    return max((level for level in levels if level is not None), key=GRAVITY.__getitem__, default=None)


def places(registered: Iterable[Mapping[str, Any]], troubled: Iterable[Mapping[str, Any]]) -> list[Place]:
    """Every enterprise that is registered or has something open, gravest first."""
    known = {row["uscc"]: row for row in registered}
    trouble = {row["uscc"]: row for row in troubled}
    found = []
    for uscc in known.keys() | trouble.keys():
        row, open_there = known.get(uscc, {}), trouble.get(uscc, {})
        level = open_there.get("level")
        found.append(
            Place(
                uscc,
                row.get("name") or open_there.get("name") or uscc,
                row.get("region") or open_there["region"],
                row.get("longitude"),
                row.get("latitude"),
                Level(level) if level else None,
                open_there.get("alarms", 0),
                open_there.get("cases", 0),
            )
        )
    return sorted(found, key=_gravest_first)


def parts(known: Iterable[Place], sight: str) -> list[Part]:
    """A row for every part of the region in sight that has a name, quiet ones too, gravest first."""
    grouped: dict[str, list[Place]] = {code: [] for code in parts_of(sight)}
    for place in known:
        grouped.setdefault(part_of(place.region, sight), []).append(place)
    rows = [
        Part(
            code,
            worst(place.level for place in inside),
            len(inside),
            sum(place.alarms for place in inside),
            sum(place.cases for place in inside),
        )
        for code, inside in grouped.items()
    ]
    return sorted(rows, key=lambda row: (-_gravity(row.level), -row.alarms, row.region))


def parts_of(sight: str) -> list[str]:
    """The regions one tier below a region: cities of the province, counties of a city; a county is its own."""
    if tier_of(sight) is Tier.COUNTY:
        return [sight]
    return [code for code, region in regions().items() if region.parent == sight]


def part_of(region: str, sight: str) -> str:
    """In which of these parts a region lies."""
    return region_at(region, Tier.CITY) if tier_of(sight) is Tier.PROVINCE else region


def marks(known: Sequence[Place], most: int = MOST_MARKS) -> list[Mark]:
    """What to draw: each where there are few; of many the gravest alone, and the rest gathered in cells."""
    standing = [place for place in known if place.longitude is not None and place.latitude is not None]
    if len(standing) <= most:
        return [_alone(place) for place in standing]
    first = sum(place.level is not None for place in standing[: most // 2])  # the gravest come first
    cells: list[list[Place]] = []
    for degrees in CELLS_DEGREES:
        cells = _cells(standing[first:], degrees)
        if first + len(cells) <= most:
            break
    return [_alone(place) for place in standing[:first]] + [_together(cell) for cell in cells]


def inside(known: Iterable[Place], region: str | None) -> list[Place]:
    """Those in a region."""
    prefix = prefix_of(region) if region else ""
    return [place for place in known if place.region.startswith(prefix)]


def _gravest_first(place: Place) -> tuple[int, int, str]:
    return (-_gravity(place.level), -place.alarms, place.uscc)


def _gravity(level: Level | None) -> int:
    return GRAVITY[level] if level else 0


def _cells(known: Iterable[Place], degrees: float) -> list[list[Place]]:
    cells = defaultdict[tuple[int, int], list[Place]](list)
    for place in known:
        cells[floor((place.longitude or 0) / degrees), floor((place.latitude or 0) / degrees)].append(place)
    return list(cells.values())


def _alone(place: Place) -> Mark:
    assert place.longitude is not None
    assert place.latitude is not None
    where = (place.longitude, place.latitude)
    return Mark(*where, place.level, place.name, place.region, place.uscc, 1, place.alarms, place.cases)


def _together(inside: Sequence[Place]) -> Mark:
    if len(inside) == 1:
        return _alone(inside[0])
    return Mark(
        sum(place.longitude or 0 for place in inside) / len(inside),
        sum(place.latitude or 0 for place in inside) / len(inside),
        worst(place.level for place in inside),
        "",
        inside[0].region,
        None,
        len(inside),
        sum(place.alarms for place in inside),
        sum(place.cases for place in inside),
    )
