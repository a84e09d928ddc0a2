"""An OpenID Connect client for the console: discovery, code exchange, verification of the id token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import jwt

from serving.gateway.auth.jwks import KeySet, discover
from serving.gateway.auth.tokens import ALGORITHMS
from serving.gateway.settings import SignInSettings

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LEEWAY_SECONDS = 30


class OidcClient:
    """Talks to one provider.

    Args:
        settings: Issuer and client.
    """

    def __init__(self, settings: SignInSettings) -> None:
        self._settings = settings

    async def provider(self) -> dict[str, Any]:
        """The provider's discovery document.

        Raises:
            aiohttp.ClientError, TimeoutError, ValueError: It cannot be had.
        """
        async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
            return await discover(session, self._settings.issuer)

    async def exchange(self, code: str, verifier: str, nonce: str, redirect_uri: str) -> dict[str, Any]:
        """Exchanges a code for the claims of the signed-in user.

        Args:
            code: The authorization code.
            verifier: PKCE verifier of this sign-in.
            nonce: Nonce of this sign-in.
            redirect_uri: As it was given at the start.

        Raises:
            aiohttp.ClientError, TimeoutError, ValueError, KeyError: The provider did not answer as it should.
            jwt.InvalidTokenError: Its token is not valid, or belongs to another sign-in.
        """
        provider = await self.provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._settings.client_secret_file:
            form["client_secret"] = Path(self._settings.client_secret_file).read_text().strip()
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session,
            session.post(provider["token_endpoint"], data=form, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"the token endpoint answered HTTP {response.status}")
            token = str((await response.json())["id_token"])
        return await self._verify(token, nonce, provider["jwks_uri"])

    async def _verify(self, token: str, nonce: str, jwks_url: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidTokenError("its algorithm is not accepted")
        key = await KeySet(self._settings.issuer, jwks_url).key(str(header.get("kid", "")))
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[header["alg"]],
            audience=self._settings.client_id,
            issuer=self._settings.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        if claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise jwt.InvalidTokenError("it was made for another client")
        if claims.get("nonce") != nonce:
            raise jwt.InvalidTokenError("its nonce belongs to another sign-in")
        return claims
