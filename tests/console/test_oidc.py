"""The provider proves who somebody is; which account that is, and whether it may come in, the console says."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from joserfc.jwk import RSAKey

from deploy.local.postgres import Postgres
from services.console.guard import COOKIE
from tests.console.provider import CLIENT, SECRET, Provider, provider
from tests.console.replica import Replica, log_in, replica

pytestmark = pytest.mark.postgres

REFUSED = "没有对应的账号"


@pytest.fixture
async def idp() -> AsyncIterator[Provider]:
    async with provider() as made:
        yield made


@pytest.fixture
async def desk(postgres: Postgres, idp: Provider) -> AsyncIterator[Replica]:
    """A console that knows the provider."""
    async with replica(postgres, oidc_issuer=idp.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET) as made:
        yield made


async def there(browser: httpx.AsyncClient, path: str = "/login/provider?next=/account") -> str:
    """To the provider and through its login; the address at which the browser comes back."""
    away = await browser.get(path)
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient(trust_env=False) as outside:
        answer = await outside.get(away.headers["location"])
    assert answer.status_code == 302
    return answer.headers["location"].removeprefix("http://console.test")


async def test_whom_the_provider_names_is_let_in_as_their_account(desk: Replica, idp: Provider):
    idp.name = await desk.account("oidc.wang", "manager", "220200")
    browser = desk.browser()

    button = await browser.get("/login?next=/account")
    answer = await browser.get(await there(browser))
    page = await browser.get("/account")

    assert "/login/provider?next=/account" in button.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "oidc.wang" in page.text
    rows = await desk.sql("SELECT body FROM audit WHERE actor = 'oidc.wang' AND action = 'login'")
    assert '"way":"provider"' in rows[0]["body"]


async def test_where_no_provider_is_set_there_is_no_button_and_no_way(console: Replica):
    browser = console.browser()

    assert "/login/provider" not in (await browser.get("/login")).text
    assert (await browser.get("/login/provider")).status_code == 404
    assert (await browser.get("/login/provider/back?state=a&code=b")).status_code in (403, 404)


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another login's"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"iss": "https://evil.test"},
        {"sub": None},
        {"preferred_username": None},
        {"preferred_username": ["oidc.true"]},
        {"preferred_username": "oidc.nobody"},
        {"preferred_username": "oidc.ended"},
        {"preferred_username": "no name at all!\x00"},
    ],
)
async def test_what_is_not_proved_is_refused_with_one_text(desk: Replica, idp: Provider, lie):
    idp.name, idp.lies = await desk.account("oidc.true"), lie
    await desk.account("oidc.ended")
    await desk.sql("UPDATE accounts SET disabled_at = now() WHERE name = 'oidc.ended'")
    browser = desk.browser()

    answer = await browser.get(await there(browser))

    assert answer.status_code == 403
    assert REFUSED in answer.text
    assert COOKIE not in browser.cookies


async def test_a_token_that_another_key_signed_is_refused(desk: Replica, idp: Provider):
    idp.name, idp.signer = await desk.account("oidc.signed"), RSAKey.generate_key(2048, auto_kid=True)
    browser = desk.browser()

    assert (await browser.get(await there(browser))).status_code == 403


async def test_a_way_back_serves_one_browser_once(desk: Replica, idp: Provider):
    idp.name = await desk.account("oidc.once")
    browser, thief = desk.browser(), desk.browser()
    back = await there(browser)

    stolen = await thief.get(back)
    taken = await browser.get(back)
    again = await browser.get(back)

    assert (stolen.status_code, taken.status_code, again.status_code) == (403, 303, 403)


async def test_a_login_that_was_begun_elsewhere_is_not_finished_here(desk: Replica, idp: Provider):
    idp.name = await desk.account("oidc.attacker")
    attacker, victim = desk.browser(), desk.browser()
    back = await there(attacker)
    await there(victim)

    assert (await victim.get(back)).status_code == 403
    assert COOKIE not in victim.cookies


async def test_a_login_that_took_too_long_is_refused(desk: Replica, idp: Provider):
    idp.name = await desk.account("oidc.late")
    browser = desk.browser()
    back = await there(browser)
    await desk.sql("UPDATE sign_ins SET at = at - interval '11 minutes'")

    assert (await browser.get(back)).status_code == 403


async def test_the_code_is_bound_to_the_verifier(desk: Replica, idp: Provider):
    idp.name = await desk.account("oidc.pkce")
    browser = desk.browser()
    back = await there(browser)
    await desk.sql("UPDATE sign_ins SET verifier = 'another'")

    assert (await browser.get(back)).status_code == 403


async def test_a_silent_provider_leaves_the_passwords(postgres: Postgres):
    async with replica(
        postgres, oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT, oidc_client_secret=SECRET
    ) as lost:
        name = await lost.account("oidc.password")
        browser = lost.browser()
        answer = await browser.get("/login/provider")

        assert answer.status_code == 503
        assert "统一身份认证" in answer.text
        assert (await log_in(browser, name)).status_code == 303


async def test_a_provider_that_calls_itself_by_another_name_is_not_believed(postgres: Postgres, idp: Provider):
    said = idp.issuer
    async with replica(postgres, oidc_issuer=said, oidc_client_id=CLIENT, oidc_client_secret=SECRET) as desk:
        idp.issuer = "https://evil.test"
        assert (await desk.browser().get("/login/provider")).status_code == 503


async def test_who_began_no_login_leaves_no_mark_on_the_trail(desk: Replica, console: Replica):
    """The trail is for good, so what anybody can send as often as they like must not grow it."""
    before = await desk.sql("SELECT count(*) AS n FROM audit")

    answers = [await desk.browser().get(f"/login/provider/back?state={state}") for state in ("", "x", "y")]
    nowhere = await console.browser().get("/login/provider/back?state=x")

    assert [answer.status_code for answer in answers] == [403] * 3
    assert nowhere.status_code == 404
    assert await desk.sql("SELECT count(*) AS n FROM audit") == before
