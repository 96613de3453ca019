"""A change comes from our own pages or not at all, and no answer lets a browser do more than it must."""

import httpx
import pytest

from services.console.guard import CONTENT, COOKIE
from tests.console.replica import PASSWORD, Replica, log_in, replica

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"Origin": "http://console.test"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "HTTP://CONSOLE.TEST"}, False),
        ({"Origin": "https://console.test"}, False),
        ({"Origin": "http://console.test:81"}, False),
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": "http://console.test.evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://evil.test", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Referer": "http://console.test/account"}, False),
        ({}, False),
    ],
)
async def test_a_change_is_taken_only_from_our_own_pages(console: Replica, headers: dict[str, str], taken: bool):
    browser = await console.inside(await console.account("guard.origin"))
    browser.headers.pop("origin")

    answer = await browser.post("/account/appearance", data={"theme": "dark"}, headers=headers)

    assert answer.status_code == (303 if taken else 403)
    assert ("fengsui_theme" in browser.cookies) == taken


@pytest.mark.parametrize("path", ["/login", "/logout", "/account/password", "/operations/accounts", "/nowhere"])
async def test_the_origin_is_asked_before_anything_else(console: Replica, path: str):
    answer = await console.browser().post(path, data={"name": "a"}, headers={"Origin": "http://evil.test"})

    assert answer.status_code == 403


async def test_behind_a_proxy_the_origin_is_the_one_that_was_set(postgres, console: Replica):
    name = await console.account("guard.proxy")

    async with replica(postgres, console_origin="https://fengsui.example") as behind:
        browser = behind.browser()
        refused = await log_in(browser, name)
        browser.headers["Origin"] = "https://fengsui.example"
        taken = await log_in(browser, name)

    assert (refused.status_code, taken.status_code) == (403, 303)
    assert "Secure" in taken.headers["set-cookie"]


@pytest.mark.parametrize("path", ["/login", "/account", "/nowhere", "/healthz", "/.well-known/jwks.json", "/v1/audit"])
async def test_every_answer_has_the_headers(console: Replica, path: str):
    answer = await console.browser().get(path)

    assert answer.headers["content-security-policy"] == CONTENT
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in CONTENT


async def test_a_failure_has_the_headers_too_and_says_nothing_of_its_cause(postgres):
    async with replica(postgres, postgres_ask="postgresql://nobody@127.0.0.1:1/none") as lost:
        browser = lost.browser()
        browser.cookies.set(COOKIE, "x" * 43, domain="console.test", path="/")
        answer = await browser.get("/account")

    assert answer.status_code == 503
    assert answer.headers["content-security-policy"] == CONTENT
    assert "数据库" in answer.text
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize("name", ["login", "account", "accounts"])
async def test_the_pages_have_no_script_or_style_of_their_own(console: Replica, name: str):
    browser = await console.inside(await console.account(f"guard.inline.{name}", "admin", None))
    path = {"login": "/login", "account": "/account", "accounts": "/operations/accounts"}[name]
    page = (await (console.browser() if name == "login" else browser).get(path)).text

    assert "<script>" not in page
    assert "style=" not in page
    assert " onclick=" not in page


async def test_what_carries_a_token_needs_no_origin(console: Replica, home):
    from deploy.tokens import mint

    token = mint(home, "li", "admin", "220000")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(console.service.app), base_url="http://console.test"
    ) as machine:
        answer = await machine.post("/v1/verdicts", json={"events": []}, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200


async def test_a_password_is_on_no_page(console: Replica):
    browser = await console.inside(await console.account("guard.secret", "admin", None))

    failed = await log_in(console.browser("10.8.0.1"), "guard.secret", "a wrong secret")
    made = await browser.post("/operations/accounts", data={"name": "x y", "role": "admin", "password": PASSWORD})

    assert "a wrong secret" not in failed.text
    assert made.status_code == 422
    assert PASSWORD not in made.text


@pytest.mark.parametrize("scheme", ["Basic Z2F0ZTp3YXk=", "Negotiate x", "Bearer x"])
async def test_a_header_of_a_gateway_opens_no_way_for_another_sites_page(console: Replica, scheme: str):
    browser = await console.inside(await console.account("guard.gateway"))

    answer = await browser.post(
        "/account/appearance", data={"theme": "dark"}, headers={"Origin": "http://evil.test", "Authorization": scheme}
    )

    assert answer.status_code == 403
