"""An account says who acts, as what and where; what it does not say follows only where nothing can be doubted."""

import pytest

from services.console.domain.accounts import Account, Unfit, account_of, password_fault
from shared.vocabulary import Role

USCC = "91220203MA00000015"


def test_an_officer_is_bounded_by_the_region_that_is_named():
    assert account_of("王伟.1", "officer", "220203", None) == Account("王伟.1", Role.OFFICER, "220203")


@pytest.mark.parametrize("role", ["admin", "ops"])
def test_who_serves_the_province_need_not_name_it(role: str):
    assert account_of("li", role, None, None).region == "220000"


def test_an_enterprise_account_is_bounded_by_its_code_in_any_case():
    assert account_of("safety", "enterprise", None, USCC.lower()) == Account("safety", Role.ENTERPRISE, "220000", USCC)


@pytest.mark.parametrize(
    ("name", "role", "region", "enterprise", "why"),
    [
        ("", "admin", None, None, "letters"),
        ("a" * 65, "admin", None, None, "letters"),
        ("a b", "admin", None, None, "letters"),
        ("a\n", "admin", None, None, "letters"),
        ("Ａ", "admin", None, None, "letters"),
        ("a\u202e", "admin", None, None, "letters"),
        ("a", "root", None, None, "no role"),
        ("a", "Admin", None, None, "no role"),
        ("a", "officer", None, None, "needs a region"),
        ("a", "officer", "229999", None, "no region"),
        ("a", "enterprise", "220203", None, "credit code"),
        ("a", "enterprise", "220203", USCC[:-1] + "8", "check character"),
        ("a", "officer", "220203", USCC, "only the role enterprise"),
    ],
)
def test_what_could_be_doubted_is_refused(name, role, region, enterprise, why):
    with pytest.raises(Unfit, match=why):
        account_of(name, role, region, enterprise)


def test_a_password_has_a_least_and_a_greatest_length():
    assert password_fault("1234567")
    assert password_fault("x" * 1025)
    assert password_fault("密码密码密码密码") is None
