"""An OpenID Connect provider proves who somebody is; which account that is, and what it may do, the console says."""

import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import orjson
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.settings import Settings

ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""Asymmetric ones only: a secret that the provider shares with us proves nothing to us."""
NEEDED: Final = {"authorization_endpoint", "token_endpoint", "jwks_uri"}
REMEMBERED_S: Final = 300.0
LEEWAY_S: Final = 30
TIMEOUT_S: Final = 5.0


class Disproved(Exception):
    """The provider's answer does not prove who came; why is for the log, not for whoever came."""


class ProviderAway(Exception):
    """The provider cannot be asked now."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A login on its way to the provider and back: what only this browser and we know of it."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The provider that the settings name."""

    def __init__(self, issuer: str, client: str, secret: str, claim: str) -> None:
        self._issuer, self._client, self._secret, self._claim = issuer, client, secret, claim
        self._known: tuple[float, dict[str, Any], KeySet] | None = None

    async def departure(self, back: str) -> tuple[str, Journey]:
        """Where to send the browser, and what to compare with when it comes back to `back`."""
        metadata, _ = await self._discovered()
        journey = Journey(generate_token(43), generate_token(43), generate_token(64))
        address = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self._client,
            "code",
            redirect_uri=back,
            scope="openid profile",
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
        )
        return str(address), journey

    async def arrival(self, back: str, code: str, nonce: str, verifier: str) -> str:
        """The name that the provider gives whoever came back with the code; raises Disproved or ProviderAway."""
        metadata, keys = await self._discovered()
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        me = aiohttp.encode_basic_auth(quote_plus(self._client), quote_plus(self._secret))  # RFC 6749 2.3.1
        answer = await _asked("POST", metadata["token_endpoint"], data=given, headers={"Authorization": me})
        claims = await self._verified(str(answer.get("id_token", "")), keys)
        self._check(claims, nonce)
        name = claims.get(self._claim)
        if not isinstance(name, str) or not name:
            raise Disproved(f"no claim {self._claim}")
        return name

    async def _verified(self, token: str, keys: KeySet) -> dict[str, Any]:
        for last in (False, True):
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError) as error:
                if last or self._known is None or time.monotonic() - self._known[0] < 5:
                    raise Disproved(type(error).__name__) from error
                self._known = None  # perhaps a key that is newer than ours
                _, keys = await self._discovered()
        raise Disproved

    def _check(self, claims: dict[str, Any], nonce: str) -> None:
        """OpenID Connect Core 3.1.3.7."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._client not in audiences or (len(audiences) > 1 and claims.get("azp") != self._client):
            raise Disproved("meant for another")
        if claims.get("nonce") != nonce:
            raise Disproved("another login's")
        try:
            jwt.JWTClaimsRegistry(
                now=int(time.time()),
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self._issuer},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise Disproved(type(error).__name__) from error

    async def _discovered(self) -> tuple[dict[str, Any], KeySet]:
        if self._known is None or time.monotonic() - self._known[0] > REMEMBERED_S:
            metadata = await _asked("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if metadata.get("issuer") != self._issuer or not metadata.keys() >= NEEDED:
                raise ProviderAway("what it says of itself is not of this issuer, or not whole")
            try:
                keys = KeySet.import_key_set(await _asked("GET", str(metadata["jwks_uri"])))  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderAway("its keys are garbled") from error
            self._known = time.monotonic(), metadata, keys
        return self._known[1], self._known[2]


async def _asked(method: str, url: str, **given: Any) -> dict[str, Any]:
    """The provider's JSON; Disproved where it refuses what it was given, ProviderAway where it says nothing useful."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
            session.request(method, url, allow_redirects=False, **given) as answer,
        ):
            body, status = await answer.read(), answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise ProviderAway(f"{url}: {type(error).__name__}") from error
    if method == "POST" and 400 <= status < 500:
        raise Disproved(f"the provider answers {status}")
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProviderAway(f"{url}: no JSON") from error
    if status != 200 or not isinstance(said, dict):
        raise ProviderAway(f"{url}: {status}")
    return said


def provider_of(settings: Settings) -> Provider | None:
    """The provider, where all three of its settings are there."""
    secret = settings.oidc_client_secret.get_secret_value()
    if not (settings.oidc_issuer and settings.oidc_client_id and secret):
        return None
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_name_claim)
