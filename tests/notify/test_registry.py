"""Contacts and rosters come in whole or not at all, and the same file again changes nothing."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.notify.sealing import Seal
from tests.notify.stand import ALWAYS, SECRET, Door
from tests.notify.world import CITY, COUNTY

pytestmark = pytest.mark.postgres

CONTACTS = "contact,name,region,role,staff,phone,email,webhook,webhook_secret"
ROSTERS = "roster,region,contact,start,end,position"
ANNA = f"anna,安娜,{COUNTY},officer,anna,13900000000,anna@example.org,http://198.51.100.7/anna,{SECRET}"
BORIS = f"boris,Boris,{CITY},leader,,,,,"


def counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["created"], answer["updated"], answer["unchanged"]


async def test_the_same_file_again_changes_nothing(door: Door) -> None:
    first = await door.upload("contacts", CONTACTS, [ANNA, BORIS])
    again = await door.upload("contacts", CONTACTS, [ANNA, BORIS])
    other = await door.upload("contacts", CONTACTS, [ANNA.replace("安娜", "安娜·王"), BORIS])

    assert [status for status, _ in (first, again, other)] == [200, 200, 200]
    assert [counts(answer) for _, answer in (first, again, other)] == [(2, 0, 0), (0, 0, 2), (0, 1, 1)]


async def test_a_secret_is_made_where_empty_and_shown_once(door: Door) -> None:
    row = f"anna,Anna,{COUNTY},officer,,,,https://example.org/hook,"

    _, first = await door.upload("contacts", CONTACTS, [row, BORIS])
    _, again = await door.upload("contacts", CONTACTS, [row, BORIS])

    ((made),) = first["secrets"]
    assert made["contact"] == "anna"
    assert made["webhook_secret"].startswith("whsec_")
    assert again["secrets"] == []
    assert counts(again) == (0, 0, 2)


async def test_no_secret_lies_open_in_the_database(door: Door, owner: asyncpg.Connection, home: Path) -> None:
    await door.upload("contacts", CONTACTS, [ANNA])

    dump = await owner.fetchval("SELECT string_agg(c::text, '\n') FROM contacts c")
    sealed = await owner.fetchval("SELECT secret FROM contacts")
    assert SECRET not in dump
    assert SECRET.encode() not in sealed
    assert Seal(home).open(sealed, "anna") == SECRET


async def test_a_secret_that_gives_way_goes_on_signing_for_a_day(
    door: Door, owner: asyncpg.Connection, home: Path
) -> None:
    other = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
    await door.upload("contacts", CONTACTS, [ANNA])

    await door.upload("contacts", CONTACTS, [ANNA.replace(SECRET, other)])

    row = await owner.fetchrow("SELECT * FROM contacts")
    assert row is not None
    assert Seal(home).open(row["secret"], "anna") == other
    assert Seal(home).open(row["earlier_secret"], "anna") == SECRET


async def test_errors_come_by_row_and_column_and_nothing_is_imported(door: Door, owner: asyncpg.Connection) -> None:
    rows = [
        ANNA,
        "b b,Boris,229999,boss,,1,nobody,ftp://x,secret",
        f"1.2E+17,Cao,{COUNTY},officer,,,,http://u:p@example.org/,",
        f"d\u200bd,Dora,{COUNTY},officer,,,,,whsec_QUJD",
        ANNA,
    ]

    status, problem = await door.upload("contacts", CONTACTS, rows)

    assert (status, problem["code"]) == (422, "bad_rows")
    assert [(each["row"], each["column"], each["code"]) for each in problem["errors"]] == [
        (3, "contact", "bad_name"),
        (3, "email", "bad_email"),
        (3, "phone", "bad_phone"),
        (3, "region", "bad_region"),
        (3, "role", "bad_value"),
        (3, "webhook", "bad_url"),
        (3, "webhook_secret", "bad_secret"),
        (4, "contact", "bad_name"),
        (4, "webhook", "bad_url"),
        (5, "contact", "bad_character"),
        (5, "webhook_secret", "bad_secret"),
        (6, "contact", "twice"),
    ]
    assert await owner.fetchval("SELECT count(*) FROM contacts") == 0


async def test_a_roster_names_known_contacts_and_shifts_that_last(door: Door, owner: asyncpg.Connection) -> None:
    await door.upload("contacts", CONTACTS, [ANNA])
    good = f"r1,{COUNTY},anna,{ALWAYS},primary"

    bad_cells = await door.upload(
        "rosters",
        ROSTERS,
        [good, f"r1,{COUNTY},anna,2026-01-01,2026-01-02T00:00:00Z,chief", f"r1,{COUNTY},anna,{ALWAYS},backup"],
    )
    reversed_times = await door.upload(
        "rosters", ROSTERS, [good, f"r1,{COUNTY},anna,2026-01-02T00:00:00+08:00,2026-01-01T16:00:00Z,primary"]
    )
    unknown = await door.upload("rosters", ROSTERS, [good, f"r1,{COUNTY},nobody,{ALWAYS},primary"])

    def faults(answer: tuple[int, Any]) -> list[tuple[int, str, str]]:
        return [(each["row"], each["column"], each["code"]) for each in answer[1]["errors"]]

    assert faults(bad_cells) == [(3, "position", "bad_value"), (3, "start", "bad_time"), (4, "start", "twice")]
    assert faults(reversed_times) == [(3, "end", "end_before_start")]
    assert faults(unknown) == [(3, "contact", "unknown_contact")]
    assert await owner.fetchval("SELECT count(*) FROM rosters") == 0


async def test_a_shift_is_named_by_roster_contact_and_start(door: Door) -> None:
    await door.upload("contacts", CONTACTS, [ANNA])
    rows = [f"r1,{COUNTY},anna,{ALWAYS},primary", f"r2,{COUNTY},anna,{ALWAYS},backup"]

    first = await door.upload("rosters", ROSTERS, rows)
    again = await door.upload("rosters", ROSTERS, [rows[0].replace("+08:00", "+08:00"), rows[1]])
    moved = await door.upload("rosters", ROSTERS, [rows[0].replace("2099", "2098"), rows[1]])

    assert [counts(answer) for _, answer in (first, again, moved)] == [(2, 0, 0), (0, 0, 2), (0, 1, 1)]


async def test_a_county_changes_its_own_registry_only(door: Door) -> None:
    await door.upload("contacts", CONTACTS, [ANNA, BORIS])
    county = {"role": "manager", "region": COUNTY}

    foreign = await door.upload("contacts", CONTACTS, [f"eve,Eve,{CITY},officer,,,,,"], **county)
    taken = await door.upload("contacts", CONTACTS, [f"boris,Boris,{COUNTY},officer,,,,,"], **county)
    own = await door.upload("contacts", CONTACTS, [ANNA], **county)
    officer = await door.upload("contacts", CONTACTS, [ANNA], role="officer", region=COUNTY)

    assert [each["code"] for _, problem in (foreign, taken) for each in problem["errors"]] == ["not_yours"] * 2
    assert (own[0], officer[0]) == (200, 403)


async def test_lists_show_what_is_in_sight(door: Door) -> None:
    await door.upload("contacts", CONTACTS, [ANNA, BORIS])
    await door.upload("rosters", ROSTERS, [f"r1,{COUNTY},anna,{ALWAYS},primary", f"r2,{CITY},boris,{ALWAYS},primary"])

    _, all_contacts = await door.ask("/v1/contacts")
    _, county = await door.ask("/v1/contacts", role="viewer", region=COUNTY)
    _, enterprise = await door.ask("/v1/contacts", role="enterprise", enterprise="91220203MA00000017")
    _, rosters = await door.ask("/v1/rosters", role="officer", region=COUNTY)

    assert [each["contact"] for each in all_contacts["items"]] == ["anna", "boris"]
    assert [each["reachable"] for each in all_contacts["items"]] == [True, False]
    assert not any("secret" in name for each in all_contacts["items"] for name in each)
    assert [(each["contact"], each["webhook"]) for each in county["items"]] == [("anna", None)]
    assert enterprise["items"] == []
    assert [each["roster"] for each in rosters["items"]] == ["r1"]


async def test_pages_of_contacts_and_shifts_follow_each_other(door: Door) -> None:
    await door.upload("contacts", CONTACTS, [f"c{number},C,{COUNTY},officer,,,,," for number in range(5)])
    await door.upload("rosters", ROSTERS, [f"r{number},{COUNTY},c{number},{ALWAYS},primary" for number in range(5)])

    for what, key in (("contacts", "contact"), ("rosters", "roster")):
        seen, cursor = [], ""
        while cursor is not None:
            _, page = await door.ask(f"/v1/{what}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
            seen += [each[key] for each in page["items"]]
            cursor = page["next"]
        assert seen == sorted(seen)
        assert len(seen) == 5
