"""A session ends everywhere at once: at every replica, in every tab, and in a page that is open."""

import asyncio

import pytest

from deploy.local.postgres import Postgres
from services.console.guard import COOKIE
from services.console.sessions import key_of
from tests.console.replica import PASSWORD, Replica, log_in, replica
from tests.stack import until

pytestmark = pytest.mark.postgres
NEW = "a new passphrase"


async def holds(browser) -> bool:
    return (await browser.get("/account")).status_code == 200


def second_tab(console: Replica, browser):
    tab = console.browser()
    tab.cookies.set(COOKIE, browser.cookies[COOKIE], domain="console.test", path="/")
    return tab


async def test_after_the_logout_the_old_cookie_is_worth_nothing(console: Replica):
    browser = await console.inside(await console.account("session.out"))
    tab = second_tab(console, browser)
    assert await holds(tab)

    answer = await browser.post("/logout")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert COOKIE not in browser.cookies
    assert not await holds(tab)


async def test_a_page_that_asks_by_itself_is_led_to_the_login_and_back(console: Replica):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://console.test/cases?level=red"}

    answer = await console.browser().get("/account", headers=headers)

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=%2Fcases%3Flevel%3Dred")


@pytest.mark.parametrize(("column", "back"), [("used_at", "31 minutes"), ("created_at", "12 hours 1 minute")])
async def test_a_session_ends_by_its_age(console: Replica, column: str, back: str):
    name = await console.account(f"session.{column}")
    browser = await console.inside(name)
    assert await holds(browser)

    await console.sql(f"UPDATE sessions SET {column} = {column} - interval '{back}' WHERE account = $1", name)

    assert not await holds(browser)


async def test_only_a_person_who_asks_keeps_a_session_from_ending(console: Replica):
    name = await console.account("session.used")
    browser = await console.inside(name)

    async def age() -> float:
        rows = await console.sql("SELECT extract(epoch FROM now() - used_at) s FROM sessions WHERE account = $1", name)
        return float(rows[0]["s"])

    await console.sql("UPDATE sessions SET used_at = used_at - interval '20 minutes' WHERE account = $1", name)
    await browser.get("/account", headers={"Fengsui-Live": "1"})
    asked_by_itself = await age()
    await browser.get("/account")

    assert asked_by_itself >= 1200
    assert await age() < 60


@pytest.mark.parametrize(
    "change",
    [
        "role = 'viewer'",
        "region = '220202'",
        "disabled_at = now()",
        "password = '$argon2id$x'",
    ],
)
async def test_a_changed_account_has_no_sessions_at_any_replica(console: Replica, postgres: Postgres, change: str):
    name = await console.account(f"session.{change.split(' ', maxsplit=1)[0]}")
    browser = await console.inside(name)

    async with replica(postgres) as other:
        elsewhere = second_tab(other, browser)
        held = await holds(browser), await holds(elsewhere)
        await console.sql(f"UPDATE accounts SET {change} WHERE name = $1", name)
        ended = await holds(browser), await holds(elsewhere)

    assert (held, ended) == ((True, True), (False, False))


async def test_every_replica_hears_that_a_session_ended(console: Replica, postgres: Postgres):
    browser = await console.inside(await console.account("session.heard"))
    key = key_of(browser.cookies[COOKIE])

    async with replica(postgres) as other:
        with other.sessions.watch() as woken:
            await until(lambda: heard_in(other), lambda waiting: waiting, 10)
            held = await other.sessions.still_holds(key)
            woken.clear()
            await browser.post("/logout")
            await asyncio.wait_for(woken.wait(), 5)
            holding = await other.sessions.still_holds(key)

    assert (held, holding) == (True, False)


async def heard_in(other: Replica) -> bool:
    rows = await other.sql(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'",
        "console.sessions",
    )
    return rows[0]["n"] >= 2


async def test_a_lost_line_wakes_every_watcher_and_is_made_anew(console: Replica, postgres: Postgres):
    async with replica(postgres) as other:
        await until(lambda: heard_in(other), lambda waiting: waiting, 10)
        with other.sessions.watch() as woken:
            woken.clear()
            await other.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'console.sessions'"
            )
            await asyncio.wait_for(woken.wait(), 10)
            await until(lambda: heard_in(other), lambda waiting: waiting, 20)


async def test_a_new_password_ends_every_other_session(console: Replica):
    name = await console.account("session.newpassword")
    here, there = await console.inside(name), await console.inside(name)

    answer = await here.post("/account/password", data={"current": PASSWORD, "new": NEW, "again": NEW})

    assert answer.headers["location"] == "/account?done=password"
    assert (await holds(here), await holds(there)) == (True, False)
    assert (await log_in(console.browser("10.7.0.1"), name)).status_code == 401
    assert (await log_in(console.browser("10.7.0.2"), name, NEW)).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "again", "said"),
    [
        ("wrong password", NEW, NEW, "当前密码"),
        (PASSWORD, NEW, "another one", "不一致"),
        (PASSWORD, "short", "short", "8"),
    ],
)
async def test_a_password_is_changed_only_by_whoever_knows_it(console: Replica, current, new, again, said):
    name = await console.account("session.unchanged")
    browser = await console.inside(name, "10.7.1.1")

    answer = await browser.post("/account/password", data={"current": current, "new": new, "again": again})

    assert answer.status_code == 422
    assert said in answer.text
    assert (await log_in(console.browser("10.7.1.2"), name)).status_code == 303


async def test_one_ends_ones_own_sessions_and_nobody_elses(console: Replica):
    mine, other = await console.account("session.mine"), await console.account("session.theirs")
    here, there, third = await console.inside(mine), await console.inside(mine), await console.inside(other)

    async def number(browser) -> str:
        rows = await console.sql("SELECT number FROM sessions WHERE key = $1", key_of(browser.cookies[COOKIE]))
        return str(rows[0]["number"])

    await here.post("/account/sessions/end", data={"number": await number(third)})
    assert await holds(third)
    await here.post("/account/sessions/end", data={"number": await number(there)})
    assert (await holds(here), await holds(there)) == (True, False)
    again = await console.inside(mine)
    await here.post("/account/sessions/end", data={"number": ""})
    assert (await holds(here), await holds(again), await holds(third)) == (True, False, True)


async def test_language_and_theme_are_the_browsers(console: Replica):
    browser = await console.inside(await console.account("session.looks"))

    before = await browser.get("/account")
    answer = await browser.post("/account/appearance", data={"locale": "en", "theme": "dark", "next": "/account"})
    after = await browser.get("/account")
    await browser.post("/account/appearance", data={"locale": "xx", "theme": "<script>", "next": "https://evil.test"})

    assert answer.headers["location"] == "/account"
    assert ("修改密码" in before.text, "Change the password" in after.text) == (True, True)
    assert 'data-bs-theme="dark"' in after.text
    assert (await browser.get("/account")).text == after.text


async def test_what_ended_is_forgotten(console: Replica):
    from shared.database import connect

    name = await console.account("session.pruned")
    await console.inside(name)
    kept = await console.inside(name)
    await console.sql(
        "UPDATE sessions SET used_at = now() - interval '1 day' WHERE account = $1 AND key <> $2",
        name,
        key_of(kept.cookies[COOKIE]),
    )

    db = await connect(console.postgres.dsn("console_work"), "test")
    await console.sessions.prune(db)
    await db.close()

    assert len(await console.sql("SELECT 1 FROM sessions WHERE account = $1", name)) == 1


async def test_without_whole_sight_accounts_and_sessions_are_not_there(console: Replica):
    from shared.database import connect

    await console.inside(await console.account("session.unseen"))
    db = await connect(console.postgres.dsn("console_ask"), "test")
    try:
        counts = {}
        for region, enterprise in ((None, None), ("22", "*"), ("2202", "*"), ("22", "91220203MA00000015"), ("", "")):
            async with db.transaction():
                if region is not None:
                    await db.execute(
                        "SELECT set_config('fengsui.region', $1, true), set_config('fengsui.enterprise', $2, true)",
                        region,
                        enterprise,
                    )
                counts[region, enterprise] = [
                    await db.fetchval(f"SELECT count(*) > 0 FROM {table}") for table in ("accounts", "sessions")
                ]
    finally:
        await db.close()

    assert [sight for sight, seen in counts.items() if any(seen)] == [("22", "*")]
