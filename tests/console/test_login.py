"""Whoever proves who they are gets a session of their own; whoever does not learns nothing, and ever more slowly."""

import asyncio
import statistics
import time

import pytest

from services.console.guard import COOKIE
from services.console.sessions import key_of
from shared.access import Staff, Tokens
from shared.vocabulary import Role
from tests.console.replica import PASSWORD, Replica, log_in, replica

pytestmark = pytest.mark.postgres

WRONG = "账号已停用"


async def test_a_login_leads_to_the_page_that_was_asked_for(console: Replica):
    name = await console.account("login.back")
    browser = console.browser()

    asked = await browser.get("/account?x=1")
    shown = await browser.get(asked.headers["location"])
    answer = await log_in(browser, name, next="/account?x=1")

    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Faccount%3Fx%3D1")
    assert (shown.status_code, "/account?x=1" in shown.text) == (200, True)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert (await browser.get("/account")).status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test", "/\\evil.test"])
async def test_a_login_leads_to_no_other_site(console: Replica, elsewhere: str):
    name = await console.account("login.elsewhere")

    answer = await log_in(console.browser(), name, next=elsewhere)

    assert answer.headers["location"] == "/"


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(console: Replica):
    name = await console.account("login.cookie")

    plain = await log_in(console.browser(), name)
    encrypted = await log_in(console.browser(origin="https://console.test"), name)

    said = plain.headers["set-cookie"].lower()
    assert all(word in said for word in ("httponly", "samesite=lax", "path=/"))
    assert "secure" not in said
    assert "domain" not in said
    assert "secure" in encrypted.headers["set-cookie"].lower()


async def test_the_table_knows_only_the_hash_of_an_id(console: Replica):
    browser = await console.inside(await console.account("login.hash"))

    id = browser.cookies[COOKIE]
    rows = await console.sql("SELECT key, account FROM sessions WHERE account = 'login.hash'")

    assert len(id) >= 43
    assert [row["key"] for row in rows] == [key_of(id)]


async def test_an_id_that_was_planted_is_worth_nothing_after_the_login(console: Replica):
    name, victim = await console.account("login.fixed"), console.browser()
    planted = "A" * 43
    victim.cookies.set(COOKIE, planted, domain="console.test", path="/")

    await log_in(victim, name)
    thief = console.browser()
    thief.cookies.set(COOKIE, planted, domain="console.test", path="/")

    assert (await thief.get("/account")).status_code == 303


async def test_a_login_ends_the_session_that_the_browser_had(console: Replica):
    name = await console.account("login.again")
    browser = await console.inside(name)
    before = browser.cookies[COOKIE]

    await log_in(browser, name)
    old = console.browser()
    old.cookies.set(COOKIE, before, domain="console.test", path="/")

    assert browser.cookies[COOKIE] != before
    assert (await old.get("/account")).status_code == 303


async def test_wrong_unknown_and_disabled_are_answered_alike(console: Replica):
    known, ended = await console.account("login.known"), await console.account("login.ended")
    await console.sql("UPDATE accounts SET disabled_at = now() WHERE name = $1", ended)

    tried = [(known, "wrong password"), ("login.nobody", PASSWORD), (ended, PASSWORD), ("no name at all!", PASSWORD)]
    answers = [await log_in(console.browser(f"10.1.0.{n}"), *each) for n, each in enumerate(tried)]

    assert {answer.status_code for answer in answers} == {401}
    assert all(WRONG in answer.text for answer in answers)
    assert not any("set-cookie" in answer.headers for answer in answers)
    said = {answer.text.replace(name, "") for answer, (name, _) in zip(answers, tried, strict=True)}
    assert len(said) == 1


async def test_an_unknown_name_is_as_much_work_as_a_known_one(console: Replica):
    name = await console.account("login.slow")

    async def work(who: str, n: int) -> float:
        """Seconds of the processor, for those of the clock depend on who else is at work."""
        begun = time.process_time()
        answer = await log_in(console.browser(f"10.2.{n}.1"), who, "wrong password")
        assert answer.status_code == 401
        return time.process_time() - begun

    pairs = [(await work(name, n), await work("login.nobody", n)) for n in range(9)]

    known, unknown = (statistics.median(each) for each in zip(*pairs, strict=True))
    assert 0.7 < known / unknown < 1.4


async def test_a_guesser_waits_and_a_right_password_meanwhile_is_not_looked_at(console: Replica):
    name, browser = await console.account("login.guessed"), console.browser("10.3.0.1")

    first = [(await log_in(browser, name, "wrong password")).status_code for _ in range(5)]
    await console.sql("UPDATE failures SET count = 10, last_at = now() WHERE account = $1", name)
    wait = await log_in(browser, name)
    elsewhere = await log_in(console.browser("10.3.0.2"), name)

    assert first == [401] * 5
    assert wait.status_code == 429
    assert 20 <= int(wait.headers["retry-after"]) <= 32
    assert f"{wait.headers['retry-after']} 秒" in wait.text
    assert elsewhere.status_code == 303


async def test_the_delay_holds_at_every_replica_and_ends(console: Replica, postgres):
    name = await console.account("login.replicas")
    for _ in range(5):
        await log_in(console.browser("10.4.0.1"), name, "wrong password")

    async with replica(postgres) as other:
        await console.sql("UPDATE failures SET count = 10 WHERE account = $1", name)
        waiting = await log_in(other.browser("10.4.0.1"), name)
        await console.sql("UPDATE failures SET last_at = last_at - interval '1 minute' WHERE account = $1", name)
        heard = await log_in(other.browser("10.4.0.1"), name)

    assert (waiting.status_code, heard.status_code) == (429, 303)
    assert not await console.sql("SELECT 1 FROM failures WHERE account = $1", name)


async def test_many_guesses_at_once_are_no_way_around_the_delay(console: Replica):
    name = await console.account("login.atonce")

    answers = await asyncio.gather(*(log_in(console.browser("10.5.0.1"), name, f"guess {n} wrong") for n in range(20)))

    assert sum(answer.status_code == 401 for answer in answers) <= 6
    assert {answer.status_code for answer in answers} == {401, 429}


async def test_logins_and_failures_are_on_the_trail_without_passwords(console: Replica):
    name = await console.account("login.trail")

    await log_in(console.browser(), name, "not my password")
    browser = await console.inside(name)
    await browser.post("/logout")

    rows = await console.sql("SELECT action, body FROM audit WHERE actor = $1 ORDER BY seq", name)
    assert [row["action"] for row in rows] == ["login_failed", "login", "logout"]
    assert not any("password" in row["body"].replace('"way":"password"', "") for row in rows)
    assert not any(PASSWORD in row["body"] for row in rows)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"name=a&password=" + b"x" * 70_000, 413),
        (b"name=%ff&password=x", 422),
        (b"&".join(b"a=1" for _ in range(200)), 422),
        (b"name=a%00&password=b%00", 401),
        (b"", 401),
    ],
)
async def test_a_form_that_is_none_harms_nobody(console: Replica, body: bytes, status: int):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await console.browser("10.6.0.1").post("/login", content=body, headers=headers)

    assert answer.status_code == status


async def test_the_published_keys_verify_what_the_console_signs(console: Replica):
    staff = Staff("wang", Role.OFFICER, "220203")
    token = console.service.app.state.signer.token(b"k" * 32, staff)
    again = console.service.app.state.signer.token(b"k" * 32, staff)
    published = (await console.browser().get("/.well-known/jwks.json")).json()

    assert await Tokens(console.service.settings.jwks).staff(token) == staff
    assert again == token
    assert published["keys"]
    assert not any("d" in key for key in published["keys"])
