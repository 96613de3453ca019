"""What an account (账号) must say before anybody may act in its name."""

import re
from dataclasses import dataclass

from shared.codes import regions, uscc_fault
from shared.vocabulary import Role

PROVINCE = "220000"
PASSWORD_LENGTH = (8, 1024)

_NAME = re.compile(r"[0-9A-Za-z\u4e00-\u9fff._-]{1,64}")
_PROVINCIAL = frozenset({Role.OPS, Role.ADMIN, Role.ENTERPRISE})
"""Who need not name a region: ops and admins serve the province, an enterprise is bounded by itself."""


class Unfit(Exception):
    """Why there can be no such account, in one sentence."""


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff as a token will name them."""

    name: str
    role: Role
    region: str
    enterprise: str | None = None


def is_name(name: str) -> bool:
    """Whether there could be an account of that name."""
    return _NAME.fullmatch(name) is not None


def account_of(name: str, role: str, region: str | None, enterprise: str | None) -> Account:
    """The account that these words describe; raises Unfit."""
    if not is_name(name):
        raise Unfit("a name is 1 to 64 letters (Latin or Chinese), digits, dots, underscores or hyphens")
    if role not in set(Role):
        raise Unfit(f"{role!r} is no role; there are {', '.join(Role)}")
    known = Role(role)
    return Account(name, known, _region(known, region), _enterprise(known, enterprise))


def change_fault(name: str, became: "Account", *, disabled: bool, by: str, admins: frozenset[str]) -> str | None:
    """Why an account may not be changed so: a stable code; None when it may.

    `admins` are all in force. Whoever could shut themselves out, or everybody, is kept from it."""
    ends = disabled or became.role is not Role.ADMIN
    if name == by and (disabled or became.role is not Role.ADMIN or became.region != PROVINCE):
        return "own_account"
    return "last_admin" if ends and admins == {name} else None


def password_fault(password: str) -> str | None:
    """Why a password cannot be taken; None when it can."""
    least, most = PASSWORD_LENGTH
    if len(password) < least:
        return f"a password has at least {least} characters"
    return f"a password has at most {most} characters" if len(password) > most else None


def _region(role: Role, region: str | None) -> str:
    if region is None and role in _PROVINCIAL:
        return PROVINCE
    if region is None:
        raise Unfit(f"the role {role} needs a region (GB/T 2260 code): it bounds what the account sees")
    if region not in regions():
        raise Unfit(f"{region!r} is no region of the province (GB/T 2260 code, such as {PROVINCE})")
    return region


def _enterprise(role: Role, enterprise: str | None) -> str | None:
    if role is not Role.ENTERPRISE:
        if enterprise is not None:
            raise Unfit(f"only the role {Role.ENTERPRISE} is bound to an enterprise")
        return None
    if enterprise is None:
        raise Unfit(f"the role {Role.ENTERPRISE} needs the enterprise's unified social credit code")
    code = enterprise.upper()
    if fault := uscc_fault(code):
        raise Unfit(f"{enterprise!r} is no unified social credit code: {fault[1]}")
    return code
