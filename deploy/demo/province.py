"""The demo province: enterprises and monitoring points that could stand in Jilin, the same ones every time."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from shared.codes import parent_of, regions, uscc_check_character
from shared.vocabulary import Industry

_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a measured quantity is sampled and guarded.

    `deadband` as a share of the range, `delay_s` to raise and to clear: the widely repeated
    starting points for flow, level, pressure and temperature, which no source confirms.
    Gas gets no delay, so that every excursion is known; counts and voltages get none because nobody tuned them.
    """

    step_s: int
    deadband: float = 0.0
    delay_s: int = 0


QUANTITIES: Final = {
    "temperature": Quantity(step_s=30, deadband=0.01, delay_s=60),
    "pressure": Quantity(step_s=20, deadband=0.02, delay_s=15),
    "differential_pressure": Quantity(step_s=20, deadband=0.02, delay_s=15),
    "level": Quantity(step_s=30, deadband=0.05, delay_s=60),
    "flow": Quantity(step_s=20, deadband=0.05, delay_s=15),
    "combustible_gas": Quantity(step_s=10, deadband=0.02),
    "toxic_gas": Quantity(step_s=10, deadband=0.02),
    "oxygen": Quantity(step_s=10, deadband=0.01),
    "headcount": Quantity(step_s=30),
    "voltage": Quantity(step_s=10),
    "current": Quantity(step_s=20, deadband=0.02, delay_s=15),
    "humidity": Quantity(step_s=60, deadband=0.02, delay_s=60),
    "vibration": Quantity(step_s=20, deadband=0.02, delay_s=15),
    "mass": Quantity(step_s=60, deadband=0.01),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One monitoring point; `usual` is the middle of its healthy values, None where the feed does not simulate it."""

    uscc: str
    point: str
    name: str
    risk_unit: str
    quantity: str
    uom: str
    usual: float | None
    ll: float | None
    l: float | None  # noqa: E741 - the registry file's own name for it
    h: float | None
    hh: float | None
    delay_s: int

    @property
    def deadband(self) -> float:
        """A transmitter is taken to be ranged to one and a half times its outermost limit."""
        span = 1.5 * max((abs(x) for x in (self.ll, self.l, self.h, self.hh) if x is not None), default=0)
        return round(QUANTITIES[self.quantity].deadband * span, 4)

    @property
    def step_s(self) -> int:
        """Seconds from one reading to the next."""
        return QUANTITIES[self.quantity].step_s


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One fictional enterprise; `slug` is its name in this package, `uscc` everywhere else."""

    slug: str
    uscc: str
    name: str
    region: str
    industry: Industry
    address: str
    longitude: float
    latitude: float
    points: tuple[Point, ...]


def credit_code(region: str, serial: int) -> str:
    """A valid unified social credit code of a company registered in `region`, with a number too low to be real."""
    body = f"{serial:08d}"
    check = 11 - sum(int(c) * w for c, w in zip(body, _ORGANISATION_WEIGHTS, strict=True)) % 11
    organisation = body + {10: "X", 11: "0"}.get(check, str(check))
    code = f"91{region}{organisation}"
    return code + uscc_check_character(code)


@cache
def enterprises() -> tuple[Enterprise, ...]:
    """Every enterprise of the demo, with its points."""
    plants = _rows("plants.csv")
    return tuple(_enterprise(serial, row, plants) for serial, row in enumerate(_rows("enterprises.csv"), 1))


@cache
def by_slug() -> dict[str, Enterprise]:
    return {enterprise.slug: enterprise for enterprise in enterprises()}


def point_of(slug: str, point: str) -> Point:
    """The point of that name; a fault or an alarm on a point that does not exist is a mistake in our tables."""
    return next(p for p in by_slug()[slug].points if p.point == point)


def enterprises_csv() -> str:
    """The registry file of enterprises."""
    columns = ("uscc", "name", "region", "industry", "address", "longitude", "latitude")
    return table(columns, ([getattr(e, c) for c in columns] for e in enterprises()))


def points_csv() -> str:
    """The registry file of points; one figure serves as on-delay and as off-delay."""
    columns = ("uscc", "point", "name", "risk_unit", "quantity", "uom", "ll", "l", "h", "hh", "deadband")
    return table(
        (*columns, "on_delay_s", "off_delay_s"),
        (
            [*(getattr(p, c) for c in columns), p.delay_s, p.delay_s]
            for enterprise in enterprises()
            for p in enterprise.points
        ),
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV text with a header row; None becomes an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("deploy.demo") / "data" / name).read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _enterprise(serial: int, row: dict[str, str], plants: list[dict[str, str]]) -> Enterprise:
    uscc = credit_code(row["county"], serial)
    own = (plant for plant in plants if plant["plant"] in (row["industry"], row["slug"]))
    return Enterprise(
        slug=row["slug"],
        uscc=uscc,
        name=row["name"],
        region=row["county"],
        industry=Industry(row["industry"]),
        address=f"{_full_name(row['county'])}示范路{serial}号",
        longitude=float(row["longitude"]),
        latitude=float(row["latitude"]),
        points=tuple(p for plant in own for p in _points(uscc, int(row["lines"]), plant)),
    )


def _points(uscc: str, lines: int, plant: dict[str, str]) -> Iterator[Point]:
    """The plant's point once, or once a line where its tag is numbered by line."""
    for n in range(1, lines + 1 if "{n}" in plant["point"] else 2):
        yield Point(
            uscc=uscc,
            point=plant["point"].format(n=n),
            name=plant["name"].format(n=n),
            risk_unit=plant["unit"].format(n=n),
            quantity=plant["quantity"],
            uom=plant["uom"],
            usual=_number(plant["usual"]),
            ll=_number(plant["ll"]),
            l=_number(plant["l"]),
            h=_number(plant["h"]),
            hh=_number(plant["hh"]),
            delay_s=int(plant["delay_s"] or QUANTITIES[plant["quantity"]].delay_s),
        )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _full_name(region: str) -> str:
    """Province, city and county in one, as an address begins."""
    above = parent_of(region)
    return (_full_name(above) if above else "") + regions()[region].name
