"""The demo province is valid by every rule that the registry checks, and says the same every time."""

import csv
import io
import itertools
from collections import Counter

from deploy.demo.province import QUANTITIES, credit_code, enterprises, enterprises_csv, points_csv
from shared.codes import regions, uscc_fault
from shared.vocabulary import Industry


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_some_forty_enterprises_stand_in_every_industry():
    industries = Counter(row["industry"] for row in rows(enterprises_csv()))

    assert set(industries) == set(Industry)
    assert 38 <= sum(industries.values()) <= 45


def test_every_credit_code_is_valid_unique_and_of_its_county():
    found = rows(enterprises_csv())

    assert all(uscc_fault(row["uscc"]) is None for row in found)
    assert len({row["uscc"] for row in found}) == len(found)
    assert all(row["uscc"][2:8] == row["region"] for row in found)
    assert all(regions()[row["region"]].level not in {"province", "statistical_zone"} for row in found)


def test_the_inner_organisation_code_has_its_own_check_character():
    # 60003734-1 is the organisation code inside 91110000600037341L.
    code = credit_code("110000", 60003734)

    assert code == "91110000600037341L"


def test_every_name_says_that_it_is_a_demonstration():
    assert all(row["name"].startswith("示范") for row in rows(enterprises_csv()))


def test_every_enterprise_has_three_to_twelve_points_and_every_point_an_enterprise():
    known = {row["uscc"] for row in rows(enterprises_csv())}
    points = rows(points_csv())

    counts = Counter(row["uscc"] for row in points)

    assert set(counts) == known
    assert all(3 <= count <= 12 for count in counts.values())
    assert len({(row["uscc"], row["point"]) for row in points}) == len(points)


def test_limits_stand_in_their_order_and_the_deadband_fits_between_them():
    for point in (point for enterprise in enterprises() for point in enterprise.points):
        limits = [x for x in (point.ll, point.l, point.usual, point.h, point.hh) if x is not None]

        assert limits == sorted(limits), point
        assert all(b - a > point.deadband for a, b in itertools.pairwise(limits)), point


def test_gas_has_no_delay_and_temperature_a_minute():
    points = {(row["uscc"], row["point"]): row for row in rows(points_csv())}

    delays = {(row["quantity"], row["on_delay_s"]) for row in points.values() if row["uom"] != "°F"}

    assert ("combustible_gas", "0") in delays
    assert ("temperature", "60") in delays
    assert {quantity for quantity, _ in delays} <= set(QUANTITIES)
    assert len(delays) == len({quantity for quantity, _ in delays})


def test_the_registry_files_have_exactly_the_columns_of_the_contract():
    assert enterprises_csv().splitlines()[0] == "uscc,name,region,industry,address,longitude,latitude"
    assert points_csv().splitlines()[0] == (
        "uscc,point,name,risk_unit,quantity,uom,ll,l,h,hh,deadband,on_delay_s,off_delay_s"
    )
