"""Who is asking: a token's name, role and region, and what these allow."""

import time
import warnings
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import aiohttp
import orjson
from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from shared.codes import prefix_of, regions, tier_of
from shared.problems import Problem
from shared.vocabulary import Role, Tier

warnings.filterwarnings("ignore", category=SecurityWarning)  # RFC 9864 renames EdDSA; the contract says EdDSA

ISSUER = "fengsui"
CLOCKS_S: Final = 30
"""How far the clock of whoever signs may be from ours."""
ALGORITHMS = ["EdDSA", "Ed25519"]

_STAFF = frozenset(Role)
_DUTY = frozenset({Role.OFFICER, Role.MANAGER, Role.ADMIN})
_MANAGE = frozenset({Role.MANAGER, Role.ADMIN})
_OPS = frozenset({Role.OPS, Role.ADMIN})

RIGHTS: Final[dict[str, frozenset[Role]]] = {
    "read": _STAFF,
    "acknowledge": _DUTY,
    "comment": _DUTY,
    "confirm": frozenset({Role.OFFICER, Role.ADMIN}),
    "start": _MANAGE,
    "accept": _MANAGE,
    "return": _MANAGE,
    "void": _MANAGE,
    "submit": frozenset({Role.ENTERPRISE, Role.ADMIN}),
    "rosters": _MANAGE,
    "routes": _MANAGE,
    "registry": _OPS,
    "keys": _OPS,
    "dead_letters": _OPS,
    "offsets": _OPS,
    "reconcile": _OPS,
    "audit": _OPS,
    "accounts": frozenset({Role.ADMIN}),
}


PROVINCIAL: Final = frozenset(
    {"routes", "registry", "keys", "dead_letters", "offsets", "reconcile", "audit", "accounts"}
)


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff as the token says: what they may see is bounded by region and enterprise."""

    name: str
    role: Role
    region: str
    enterprise: str | None = None

    def may(self, right: str) -> bool:
        """Whether the role has the right."""
        return self.role in RIGHTS[right]

    @property
    def prefix(self) -> str:
        """What every region code in sight begins with."""
        return prefix_of(self.region)

    def sees(self, region: str, enterprise: str | None) -> bool:
        """Whether a thing of that region and enterprise is in sight."""
        own = self.enterprise is None or self.enterprise == enterprise
        return own and region.startswith(self.prefix)


class Tokens:
    """Verifies tokens against the published keys, read again when an unknown key signs."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._keys: KeySet | None = None
        self._read_at = 0.0

    async def _load(self) -> KeySet:
        if self._source.startswith(("http://", "https://")):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session,
                session.get(self._source) as response,
            ):
                text = await response.text()
        else:
            text = Path(self._source).read_text("utf-8")
        try:
            return KeySet.import_key_set(orjson.loads(text))
        except (ValueError, JoseError) as error:
            raise OSError("the keys are garbled") from error

    async def _fresh(self) -> KeySet:
        if self._keys is None or time.monotonic() - self._read_at > 300:
            self._keys, self._read_at = await self._load(), time.monotonic()
        return self._keys

    async def staff(self, token: str) -> Staff:
        """Who the token names; a Problem 401 when it does not hold, with one text for all causes."""
        for last in (False, True):
            try:
                claims = jwt.decode(token, await self._fresh(), algorithms=ALGORITHMS).claims
                jwt.JWTClaimsRegistry(
                    leeway=CLOCKS_S,
                    iss={"essential": True, "value": ISSUER},
                    exp={"essential": True},
                    sub={"essential": True},
                ).validate(claims)
                role, region = Role(claims["role"]), str(claims["region"])
                if region not in regions() or (role is Role.ENTERPRISE and not claims.get("enterprise")):
                    raise ValueError(region)
                return Staff(str(claims["sub"]), role, region, claims.get("enterprise") or None)
            except (OSError, aiohttp.ClientError, TimeoutError) as error:
                raise Problem(503, "keys_unreachable", "the keys that sign tokens cannot be read") from error
            except (JoseError, ValueError, KeyError, TypeError) as error:
                if last or time.monotonic() - self._read_at < 5:
                    raise unauthorized() from error
                self._keys = None  # perhaps a key that is newer than ours
        raise unauthorized()


def unauthorized() -> Problem:
    """The one answer to a missing, unknown, expired or revoked credential."""
    return Problem(401, "unauthorized", "a valid bearer credential is needed", headers={"WWW-Authenticate": "Bearer"})


def bearer(request: Request) -> str:
    """The one bearer credential of a request."""
    given = request.headers.getlist("authorization")
    scheme, _, credential = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not credential or credential != credential.strip():
        raise unauthorized()
    return credential


def demand(staff: Staff, right: str) -> None:
    """Raises a Problem 403 when the staff may not."""
    if not staff.may(right):
        raise Problem(403, "forbidden", f"the role {staff.role} may not {right.replace('_', ' ')}")
    if right in PROVINCIAL and tier_of(staff.region) is not Tier.PROVINCE:
        raise Problem(403, "province_only", "this concerns every region, so it is for staff of the province")


def staff_with(right: str) -> Callable[[Request], Awaitable[Staff]]:
    """A dependency: the staff who asks, if the role has the right; 401 or 403 otherwise."""
    assert right in RIGHTS, right

    async def asking(request: Request) -> Staff:
        tokens: Tokens = request.app.state.tokens
        staff = await tokens.staff(bearer(request))
        demand(staff, right)
        return staff

    asking.right = right  # type: ignore[attr-defined]
    return asking


def staff_to(actions: Iterable[str]) -> Callable[[Request], Awaitable[Staff]]:
    """A dependency of a route whose `{action}` is the right, which the route asks for once the thing is in sight."""
    asking = staff_with("read")
    asking.actions = tuple(actions)  # type: ignore[attr-defined]
    return asking


async def public() -> None:
    """A dependency of a route that answers whoever comes. (Not awaiting, it would be given a thread each time.)"""


async def keyed() -> None:
    """A dependency of a route that looks at an enterprise's key by itself."""


public.right = "public"  # type: ignore[attr-defined]
keyed.right = "key"  # type: ignore[attr-defined]

Reader = Annotated[Staff, Depends(staff_with("read"))]
