"""Admins of the province keep the accounts, each change on the trail; nobody shuts themselves out, or everybody."""

import asyncio

import orjson
import pytest

from services.console import store
from shared.database import connect
from tests.console.replica import PASSWORD, Replica, log_in

pytestmark = pytest.mark.postgres

USCC = "91220203MA00000015"


async def admin(console: Replica, name: str):
    return await console.inside(await console.account(name, "admin", None))


async def trail(console: Replica, subject: str) -> list[dict]:
    rows = await console.sql("SELECT body FROM audit ORDER BY seq")
    bodies = [orjson.loads(row["body"]) for row in rows]
    return [body for body in bodies if body["subject"] == f"account/{subject}" and body["action"] != "login"]


@pytest.mark.parametrize(
    ("role", "region", "enterprise", "status"),
    [
        ("admin", "220000", None, 200),
        ("admin", "220200", None, 403),
        ("ops", "220000", None, 403),
        ("manager", "220000", None, 403),
        ("officer", "220203", None, 403),
        ("viewer", "220000", None, 403),
        ("enterprise", None, USCC, 403),
    ],
)
async def test_only_admins_of_the_province_see_accounts(console: Replica, role, region, enterprise, status):
    browser = await console.inside(await console.account(f"accounts.{role}.{region}", role, region, enterprise))

    assert (await browser.get("/operations/accounts")).status_code == status
    assert (await browser.post("/operations/accounts/li", data={"role": "admin"})).status_code in (
        {403} if status == 403 else {404, 303}
    )


async def test_a_new_account_can_log_in_and_is_on_the_trail(console: Replica):
    browser = await admin(console, "accounts.maker")
    form = {"name": "accounts.made", "role": "enterprise", "region": "", "enterprise": USCC, "password": PASSWORD}

    answer = await browser.post("/operations/accounts", data=form)
    again = await browser.post("/operations/accounts", data=form)
    page = await browser.get("/operations/accounts")

    assert answer.headers["location"] == "/operations/accounts?done=created"
    assert again.status_code == 409
    assert "accounts.made" in page.text
    assert (await log_in(console.browser(), "accounts.made")).status_code == 303
    (made,) = await trail(console, "accounts.made")
    assert (made["actor"], made["action"], made["detail"]["as_role"]) == (
        "accounts.maker",
        "account_created",
        "enterprise",
    )
    assert PASSWORD not in orjson.dumps(made).decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "root"},
        {"name": "a b"},
        {"name": "../x"},
        {"name": "a\u202eb"},
        {"region": "229999"},
        {"region": ""},
        {"enterprise": USCC},
        {"password": "short"},
    ],
)
async def test_what_could_be_doubted_makes_no_account(console: Replica, wrong: dict[str, str]):
    browser = await admin(console, "accounts.doubter")
    form = {"name": "accounts.never", "role": "officer", "region": "220203", "password": PASSWORD}

    answer = await browser.post("/operations/accounts", data=form | wrong)

    assert answer.status_code == 422
    assert not await console.sql("SELECT 1 FROM accounts WHERE name = 'accounts.never'")


async def test_a_changed_role_and_a_disabled_account_end_the_sessions_at_once(console: Replica):
    boss, name = await admin(console, "accounts.boss"), await console.account("accounts.moved")
    browser = await console.inside(name)

    await boss.post(f"/operations/accounts/{name}", data={"role": "manager", "region": "220203"})
    after_change = (await browser.get("/account")).status_code
    again = await console.inside(name)
    await boss.post(f"/operations/accounts/{name}", data={"role": "manager", "region": "220203", "disabled": "yes"})

    assert (after_change, (await again.get("/account")).status_code) == (303, 303)
    assert (await log_in(console.browser("10.9.0.1"), name)).status_code == 401
    assert [row["action"] for row in await trail(console, name) if row["actor"] == "accounts.boss"] == [
        "account_changed",
        "account_disabled",
    ]


async def test_a_change_that_changes_nothing_ends_nothing(console: Replica):
    boss, name = await admin(console, "accounts.still"), await console.account("accounts.same")
    browser = await console.inside(name)

    await boss.post(f"/operations/accounts/{name}", data={"role": "officer", "region": "220203"})

    assert (await browser.get("/account")).status_code == 200
    assert await trail(console, name) == []


async def test_a_reset_password_ends_the_sessions_and_lets_in_by_the_new_one(console: Replica):
    boss, name = await admin(console, "accounts.reset"), await console.account("accounts.forgot")
    browser = await console.inside(name)

    await boss.post(f"/operations/accounts/{name}/password", data={"password": "another passphrase"})

    assert (await browser.get("/account")).status_code == 303
    assert (await log_in(console.browser(), name, "another passphrase")).status_code == 303


async def test_nobody_disables_their_own_account(console: Replica):
    boss = await admin(console, "accounts.self")

    answer = await boss.post("/operations/accounts/accounts.self", data={"role": "admin", "disabled": "yes"})

    assert answer.status_code == 409
    assert "自己" in answer.text
    assert (await boss.get("/operations/accounts")).status_code == 200


async def test_of_two_admins_who_end_each_other_the_second_sees_what_the_first_did(console: Replica):
    one, other = (
        await console.account("accounts.one", "admin", None),
        await console.account("accounts.other", "admin", None),
    )
    dsn = console.postgres.dsn("console_work")
    first, second = await connect(dsn, "test"), await connect(dsn, "test")

    async with first.transaction():
        account, _, admins = await store.lock(first, other)
        later = asyncio.create_task(store.lock(second, one))
        await store.change(first, account, disabled=True)
        waited = not (await asyncio.wait({later}, timeout=0.3))[0]
    _, _, left = await later
    await first.close()
    await second.close()

    assert {one, other} <= admins
    assert waited
    assert one in left
    assert other not in left


async def test_an_account_that_is_not_there_is_not_changed(console: Replica):
    boss = await admin(console, "accounts.lost")

    assert (await boss.post("/operations/accounts/nobody.here", data={"role": "admin"})).status_code == 404
    assert (
        await boss.post("/operations/accounts/nobody.here/password", data={"password": PASSWORD})
    ).status_code == 404
