"""Key sets: what cannot be fetched, and what does not belong to us."""

from __future__ import annotations

import pytest

from serving.gateway.auth.jwks import KeySet
from serving.gateway.problems import ProblemError
from tests.serving.gateway.auth.test_tokens import EC, RSA, Issuer, issuer

__all__ = ["issuer"]  # the fixture


async def test_an_issuer_that_is_away_is_503_for_everybody_until_it_is_back(issuer: Issuer) -> None:
    """A second caller within the pause must not hear that the token is wrong."""
    now = [0.0]
    keys = KeySet("http://127.0.0.1:9", "", lambda: now[0])
    for _ in range(3):
        with pytest.raises(ProblemError) as error:
            await keys.key("rsa")
        assert (error.value.status, error.value.reason) == (503, "issuer_unreachable")
        now[0] += 1
    keys._issuer = issuer.url
    now[0] += 10
    assert (await keys.key("rsa")).key_type == "RSA"


async def test_known_keys_outlive_their_issuer(issuer: Issuer) -> None:
    now = [0.0]
    keys = KeySet(issuer.url, "", lambda: now[0])
    await keys.key("rsa")
    keys._url, now[0] = "http://127.0.0.1:9/jwks", 7200.0
    assert (await keys.key("rsa")).key_type == "RSA"
    now[0] += 11
    with pytest.raises(ProblemError) as error:
        await keys.key("other")
    assert error.value.status == 401


async def test_keys_for_other_uses_do_no_harm(issuer: Issuer) -> None:
    issuer.publish(rsa=RSA, ec=EC)
    strange = [
        {"kty": "EC", "crv": "P-999", "kid": "odd", "x": "AA", "y": "AA"},
        {"kty": "RSA", "alg": "RSA-OAEP", "kid": "enc", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "hmac"},
    ]
    issuer.keys = strange + issuer.keys
    keys = KeySet(issuer.url)
    assert (await keys.key("ec")).key_type == "EC"
    for kid in ("odd", "hmac"):
        with pytest.raises(ProblemError):
            await keys.key(kid)
