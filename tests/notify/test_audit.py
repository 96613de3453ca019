"""Answers, files and routes leave rows of the audit trail, and never a webhook's secret."""

import asyncpg
import pytest

from tests.notify.conftest import Hear
from tests.notify.stand import ALWAYS, SECRET, Door, on_duty
from tests.notify.world import CITY, COUNTY, case_event, named

pytestmark = pytest.mark.postgres

NOWHERE = "http://127.0.0.1:9"
CONTACTS = "contact,name,region,role,webhook,webhook_secret"
ROSTERS = "roster,region,contact,start,end,position"


async def test_one_answer_is_recorded_once(door: Door, db: asyncpg.Connection, hear: Hear, trail):
    await on_duty(door, [("anna", COUNTY)], NOWHERE)
    await hear(case_event())
    _, listed = await door.ask("/v1/notifications")
    (told,) = [item for item in listed["items"] if item["state"] != "held"]

    for _ in range(2):
        status, _ = await door.ask(f"/v1/notifications/{told['id']}/acknowledge", "POST", name="wang", region=COUNTY)
        assert status == 200

    *_, row = [row for row in await trail() if row["action"] == "acknowledge"]
    assert [row["action"] for row in await trail()].count("acknowledge") == 1
    assert (row["actor"], row["subject"], row["region"]) == ("wang", f"notification/{told['id']}", COUNTY)
    assert row["detail"]["calls"] == [told["call"]]


async def test_an_answer_for_a_whole_case_is_recorded_once(door: Door, db: asyncpg.Connection, hear: Hear, trail):
    await on_duty(door, [("anna", COUNTY)], NOWHERE)
    await hear(case_event())

    for _ in range(2):
        assert (await door.ask(f"/v1/cases/{named('case')}/acknowledge", "POST"))[0] == 200

    rows = [row for row in await trail() if row["action"] == "acknowledge"]
    assert [row["subject"] for row in rows] == [f"case/{named('case')}"]


async def test_files_are_recorded_when_they_change_something(door: Door, trail):
    for _ in range(2):
        await door.upload("contacts", CONTACTS, [f"anna,Anna,{COUNTY},officer,https://example.org/a,{SECRET}"])
        await door.upload("rosters", ROSTERS, [f"duty,{COUNTY},anna,{ALWAYS},primary"])
    refused, _ = await door.upload("rosters", ROSTERS, [f"duty,{COUNTY},nobody,{ALWAYS},primary"])

    rows = await trail()
    assert refused == 422
    assert [(row["action"], row["detail"]["created"]) for row in rows] == [
        ("import_contacts", 1),
        ("import_rosters", 1),
    ]


async def test_no_secret_stands_on_the_trail(door: Door, owner: asyncpg.Connection, trail):
    _, given = await door.upload("contacts", CONTACTS, [f"anna,Anna,{COUNTY},officer,https://example.org/a,{SECRET}"])
    _, made = await door.upload("contacts", CONTACTS, [f"bo,Bo,{CITY},officer,https://example.org/b,"])

    dump = await owner.fetchval("SELECT string_agg(body, '\n') FROM audit")
    secrets = [SECRET, *(each["webhook_secret"] for each in given["secrets"] + made["secrets"])]
    assert len(secrets) == 2
    assert not any(secret in dump for secret in secrets)


async def test_other_routes_are_recorded_whole(door: Door, trail):
    _, routes = await door.ask("/v1/routes")
    wanted = {"items": routes["items"]}
    refused, _ = await door.ask("/v1/routes", "PUT", wanted | {"items": wanted["items"][:1]})
    status, _ = await door.ask("/v1/routes", "PUT", wanted)

    (row,) = await trail()
    assert (refused, status, row["action"]) == (422, 200, "put_routes")
    assert row["detail"]["routes"] == wanted["items"]
