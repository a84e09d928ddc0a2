"""Verification of JSON Web Tokens: asymmetric algorithms only, issuer, audience and expiry required."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from serving.gateway.auth.jwks import KeySet
from serving.gateway.auth.local_issuer import AUDIENCE, LocalIssuer
from serving.gateway.auth.principal import Principal, invalid_token, name_of, read_scopes, user_id_of
from serving.gateway.settings import IssuerSettings

ALGORITHMS = ("RS256", "ES256", "EdDSA")
_KEY_TYPES = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_FORBIDDEN_HEADERS = frozenset(
    {"jku", "jwk", "x5u", "x5c", "crit"}
)  # they would let a token choose its own key
_LEEWAY_SECONDS = 30
_MAX_TOKEN_BYTES = 8192
_MAX_CACHED = 4096
_CACHE_SECONDS = 60.0


@dataclass(frozen=True)
class _Trusted:
    settings: IssuerSettings
    keys: KeySet


class TokenVerifier:
    """Verifies tokens of the trusted issuers.

    A verified token is remembered for a minute, so that its signature is not computed for every request, and
    a key that its issuer withdraws is no longer accepted soon after.

    Args:
        issuers: Trusted issuers.
        local: The local issuer, if its tokens are accepted.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        issuers: Iterable[IssuerSettings],
        local: LocalIssuer | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trusted = {one.issuer: _Trusted(one, KeySet(one.issuer, one.jwks_url)) for one in issuers}
        self._local, self._clock = local, clock
        self._verified: dict[str, tuple[float, Principal]] = {}

    async def verify(self, token: str) -> Principal:
        """The caller that a token stands for.

        Raises:
            ProblemError: 401; its text says what is wrong, never what would be right.
        """
        cached = self._verified.get(token)
        if cached and cached[0] > self._clock():
            return cached[1]
        expires, principal = await self._verify(token)
        if len(self._verified) >= _MAX_CACHED:
            self._verified.clear()
        self._verified[token] = (min(expires, self._clock() + _CACHE_SECONDS), principal)
        return principal

    async def _verify(self, token: str) -> tuple[float, Principal]:
        if len(token) > _MAX_TOKEN_BYTES:
            raise invalid_token("it is too long")
        try:
            header = jwt.get_unverified_header(token)
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except jwt.InvalidTokenError as error:
            raise invalid_token("it is no JSON Web Token") from error
        if header.get("alg") not in ALGORITHMS or _FORBIDDEN_HEADERS & header.keys():
            raise invalid_token("its header is not accepted")
        key_id = header.get("kid", "")
        if not isinstance(key_id, str) or not isinstance(issuer, str):
            raise invalid_token("its header or issuer is malformed")
        if self._local and issuer == self._local.issuer:
            return self._claims(token, self._local_key(key_id, header["alg"]), None, header["alg"], issuer)
        trusted = self._trusted.get(issuer)
        if trusted is None:
            raise invalid_token("its issuer is not trusted")
        key = await trusted.keys.key(key_id)
        if key.key_type != _KEY_TYPES[header["alg"]]:
            raise invalid_token("its algorithm does not fit its key")
        return self._claims(token, key.key, trusted.settings, header["alg"], issuer)

    def _local_key(self, key_id: str, algorithm: str) -> Any:
        assert self._local is not None
        if key_id != self._local.key_id or algorithm != "EdDSA":
            raise invalid_token("it is signed with an unknown key")
        return self._local.private_key.public_key()

    def _claims(
        self, token: str, key: Any, settings: IssuerSettings | None, algorithm: str, issuer: str
    ) -> tuple[float, Principal]:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=settings.audience if settings else AUDIENCE,
                issuer=issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise invalid_token("it has expired") from error
        except jwt.InvalidTokenError as error:
            raise invalid_token("its signature or claims are not valid") from error
        scopes = read_scopes(claims.get(settings.scope_claim if settings else "scope"))
        scopes = scopes or frozenset(settings.default_scopes if settings else ())
        user_id = user_id_of(issuer, str(claims["sub"]))
        return float(claims["exp"]), Principal(user_id, name_of(claims), scopes, "token")
