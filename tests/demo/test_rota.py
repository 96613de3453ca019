"""Somebody is on duty for every county, city and the province at any time of the demo's month."""

import csv
import io
import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from deploy.demo.province import enterprises
from deploy.demo.rota import contacts_csv, duty_regions, rosters_csv
from shared.codes import parent_of

NOW = datetime(2026, 11, 25, 18, 45, tzinfo=UTC)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def contacts() -> list[dict[str, str]]:
    return rows(contacts_csv(18000, lambda contact: f"whsec_{contact}"))


def test_every_enterprise_has_officers_in_its_county_its_city_and_the_province():
    answering = {row["region"] for row in contacts()}

    for enterprise in enterprises():
        city = parent_of(enterprise.region)
        assert city is not None
        assert {enterprise.region, city, "220000"} <= answering


def test_every_region_has_two_officers_and_a_leader():
    by_region = defaultdict(list)
    for row in contacts():
        by_region[row["region"]].append(row["role"])

    assert all(sorted(roles) == ["leader", "officer", "officer"] for roles in by_region.values())
    assert tuple(by_region) == duty_regions()


def test_contacts_reach_the_demo_telephone_and_nobody_else():
    for row in contacts():
        assert row["webhook"] == f"http://127.0.0.1:18009/{row['contact']}"
        assert row["phone"].startswith("000")


def test_rosters_name_known_contacts_of_their_own_region():
    region_of = {row["contact"]: row["region"] for row in contacts()}

    assert all(region_of[row["contact"]] == row["region"] for row in rows(rosters_csv(NOW)))


def test_a_primary_and_a_backup_are_on_duty_from_yesterday_for_thirty_days():
    shifts = defaultdict(list)
    for row in rows(rosters_csv(NOW)):
        span = (datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"]), row["contact"])
        shifts[row["region"], row["position"]].append(span)

    assert {region for region, _ in shifts} == set(duty_regions())
    for spans in shifts.values():
        spans.sort()
        assert spans[0][0] <= NOW - timedelta(days=1)
        assert spans[-1][1] >= NOW + timedelta(days=30)
        assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
        assert all(before[2] != after[2] for before, after in itertools.pairwise(spans))


def test_tomorrow_s_file_repeats_the_shifts_it_shares_with_today_s():
    today = {row["roster"]: row for row in rows(rosters_csv(NOW))}
    tomorrow = {row["roster"]: row for row in rows(rosters_csv(NOW + timedelta(days=1)))}

    shared = today.keys() & tomorrow.keys()

    assert len(shared) > 0.9 * len(today)
    assert all(today[roster] == tomorrow[roster] for roster in shared)
    assert len(today) == len(rows(rosters_csv(NOW)))
