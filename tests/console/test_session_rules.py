"""A session speaks for its account only as long as nothing about either has ended."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.console.domain.accounts import Account, change_fault
from services.console.domain.sessions import Limits, Session, way_back
from shared.vocabulary import Role

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LIMITS = Limits(timedelta(minutes=30), timedelta(hours=12))
SESSION = Session(b"k" * 32, 1, Account("wang", Role.OFFICER, "220203"), 3, 3, False, NOW, NOW)


def test_a_session_ends_half_an_hour_after_its_last_use():
    assert SESSION.holds(NOW + timedelta(minutes=29, seconds=59), LIMITS)
    assert not SESSION.holds(NOW + timedelta(minutes=30), LIMITS)


def test_a_session_in_use_ends_after_twelve_hours_all_the_same():
    late = NOW + timedelta(hours=12)

    assert replace(SESSION, used_at=late).holds(late - timedelta(seconds=1), LIMITS)
    assert not replace(SESSION, used_at=late).holds(late, LIMITS)


def test_a_session_ends_with_its_account_and_with_every_change_of_it():
    assert not replace(SESSION, disabled=True).holds(NOW, LIMITS)
    assert not replace(SESSION, version=4).holds(NOW, LIMITS)


@pytest.mark.parametrize("page", ["/board", "/cases/1?tab=2&q=%E7%BA%A2", "/"])
def test_a_login_leads_back_to_the_page_that_was_asked_for(page: str):
    assert way_back(page) == page


@pytest.mark.parametrize(
    "elsewhere",
    [
        None,
        "",
        "board",
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "/a\\b",
        "\\\\evil.test",
        "/\t/evil.test",
        "/a\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
        "/login?next=/login",
        "/logout",
        "/" + "a" * 2000,
    ],
)
def test_a_login_never_leads_elsewhere(elsewhere: str | None):
    assert way_back(elsewhere) == "/"


ADMIN = Account("li", Role.ADMIN, "220000")


@pytest.mark.parametrize(
    ("became", "disabled", "by", "admins", "fault"),
    [
        (ADMIN, False, "li", {"li"}, None),
        (ADMIN, True, "li", {"li", "wu"}, "own_account"),
        (replace(ADMIN, role=Role.OPS), False, "li", {"li", "wu"}, "own_account"),
        (replace(ADMIN, region="220200"), False, "li", {"li", "wu"}, "own_account"),
        (ADMIN, True, "wu", {"li"}, "last_admin"),
        (replace(ADMIN, role=Role.OPS), False, "wu", {"li"}, "last_admin"),
        (ADMIN, True, "wu", {"li", "wu"}, None),
        (Account("zhou", Role.OFFICER, "220203"), True, "li", {"li"}, None),
    ],
)
def test_nobody_shuts_themselves_out_or_everybody(became, disabled, by, admins, fault):
    assert change_fault(became.name, became, disabled=disabled, by=by, admins=frozenset(admins)) == fault
