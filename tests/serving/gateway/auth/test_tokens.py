"""Which tokens are accepted: a real key set over HTTP, and twenty attacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from serving.gateway.auth.local_issuer import AUDIENCE, LocalIssuer
from serving.gateway.auth.principal import user_id_of
from serving.gateway.auth.tokens import TokenVerifier
from serving.gateway.problems import ProblemError
from serving.gateway.settings import IssuerSettings

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
OTHER = rsa.generate_private_key(65537, 2048)


class Issuer:
    """An OIDC issuer that serves its discovery document and key set, and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += self.path == "/jwks"
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/jwks",
                    },
                    "/jwks": {"keys": issuer.keys},
                }
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(200 if self.path in documents else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, **keys: Any) -> None:
        to_jwk: dict[type, Callable[..., Any]] = {
            rsa.RSAPrivateKey: RSAAlgorithm.to_jwk,
            ec.EllipticCurvePrivateKey: ECAlgorithm.to_jwk,
            ed25519.Ed25519PrivateKey: OKPAlgorithm.to_jwk,
        }
        self.keys = []
        for name, key in keys.items():
            convert = next(convert for kind, convert in to_jwk.items() if isinstance(key, kind))
            self.keys.append(convert(key.public_key(), as_dict=True) | {"kid": name, "use": "sig"})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    running = Issuer()
    running.publish(rsa=RSA, ec=EC, ed=ED)
    yield running
    running.server.shutdown()


@pytest.fixture
def local(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer.open(tmp_path)


@pytest.fixture
def verifier(issuer: Issuer, local: LocalIssuer) -> TokenVerifier:
    return TokenVerifier([IssuerSettings(issuer=issuer.url, audience="leaves")], local)


def claims(issuer: Issuer, **changes: object) -> dict[str, object]:
    now = int(time.time())
    fields = {"iss": issuer.url, "aud": "leaves", "sub": "anna", "exp": now + 60, "iat": now, "name": "Anna"}
    return {k: v for k, v in (fields | changes).items() if v is not None}


def rs256(issuer: Issuer, key: Any = RSA, kid: str | None = "rsa", **changes: object) -> str:
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(issuer, **changes), key, "RS256", headers)


@pytest.mark.parametrize(
    ("key", "kid", "algorithm"), [(RSA, "rsa", "RS256"), (EC, "ec", "ES256"), (ED, "ed", "EdDSA")]
)
async def test_three_algorithms_are_accepted(
    issuer: Issuer, verifier: TokenVerifier, key: Any, kid: str, algorithm: str
) -> None:
    token = jwt.encode(claims(issuer, scope="predict openid review"), key, algorithm, {"kid": kid})
    principal = await verifier.verify(token)
    assert principal.scopes == {"predict", "review"} and principal.name == "Anna"
    assert principal.user_id == user_id_of(issuer.url, "anna")


async def test_a_token_without_our_scopes_gets_the_default(issuer: Issuer, verifier: TokenVerifier) -> None:
    assert (await verifier.verify(rs256(issuer, scope="openid email"))).scopes == {"predict", "feedback"}


async def test_a_local_token(verifier: TokenVerifier, local: LocalIssuer) -> None:
    principal = await verifier.verify(local.token("ben", ["predict"]))
    assert principal.scopes == {"predict"} and principal.name == "ben"


def _b64(fields: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()


def _public_pem() -> bytes:
    return RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _hs256_with_public_key(issuer: Issuer) -> str:
    signed = f"{_b64({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{_b64(claims(issuer))}"
    digest = hmac.new(_public_pem(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _header(issuer: Issuer, **fields: object) -> str:
    return jwt.encode(claims(issuer), RSA, "RS256", {"kid": "rsa", **fields})


ATTACKS: dict[str, Callable[[Issuer, LocalIssuer], str]] = {
    "alg none": lambda i, _: f"{_b64({'alg': 'none', 'kid': 'rsa'})}.{_b64(claims(i))}.",
    "alg None in other case": lambda i, _: f"{_b64({'alg': 'nOnE', 'kid': 'rsa'})}.{_b64(claims(i))}.",
    "HS256 with the public key": lambda i, _: _hs256_with_public_key(i),
    "signed by another key": lambda i, _: rs256(i, OTHER),
    "another algorithm of the same key": lambda i, _: jwt.encode(claims(i), RSA, "RS512", {"kid": "rsa"}),
    "PS256": lambda i, _: jwt.encode(claims(i), RSA, "PS256", {"kid": "rsa"}),
    "an EC key's id with RSA": lambda i, _: rs256(i, kid="ec"),
    "wrong audience": lambda i, _: rs256(i, aud="others"),
    "no audience": lambda i, _: rs256(i, aud=None),
    "audience in a list of others": lambda i, _: rs256(i, aud=["a", "b"]),
    "expired": lambda i, _: rs256(i, exp=int(time.time()) - 60),
    "never expires": lambda i, _: rs256(i, exp=None),
    "not yet valid": lambda i, _: rs256(i, nbf=int(time.time()) + 600),
    "unknown issuer": lambda i, _: rs256(i, iss="https://evil.example"),
    "no issuer": lambda i, _: rs256(i, iss=None),
    "no subject": lambda i, _: rs256(i, sub=None),
    "kid that climbs folders": lambda i, _: rs256(i, kid="../../../../dev/null"),
    "kid that is SQL": lambda i, _: rs256(i, kid="x' UNION SELECT 'key"),
    "no kid": lambda i, _: rs256(i, kid=None),
    "jku header": lambda i, _: _header(i, jku="http://127.0.0.1:9/jwks"),
    "jwk header": lambda i, _: _header(i, jwk=RSAAlgorithm.to_jwk(OTHER.public_key(), as_dict=True)),
    "x5u header": lambda i, _: _header(i, x5u="http://127.0.0.1:9/cert"),
    "critical header": lambda i, _: _header(i, crit=["exp"]),
    "signature cut off": lambda i, _: rs256(i).rpartition(".")[0] + ".",
    "signature of another token": lambda i, _: (
        f"{rs256(i, sub='eve').rpartition('.')[0]}.{rs256(i).rpartition('.')[2]}"
    ),
    "claims replaced": lambda i, _: (
        f"{rs256(i).split('.')[0]}.{_b64(claims(i, sub='eve'))}.{rs256(i).split('.')[2]}"
    ),
    "too long": lambda i, _: rs256(i, filler="x" * 9000),
    "no token": lambda i, _: "hello",
    "the local issuer's name, another key": lambda i, local: jwt.encode(
        claims(i, iss=local.issuer, aud=AUDIENCE), ED, "EdDSA", {"kid": local.key_id}
    ),
    "the local issuer's name, RSA": lambda i, local: rs256(
        i, iss=local.issuer, aud=AUDIENCE, kid=local.key_id
    ),
    "a one-time code": lambda i, local: local.one_time_code("anna", ["admin"]),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_attacks(issuer: Issuer, verifier: TokenVerifier, local: LocalIssuer, name: str) -> None:
    token = ATTACKS[name](issuer, local)
    with pytest.raises(ProblemError) as refused:
        await verifier.verify(token)
    assert refused.value.status == 401 and token not in refused.value.detail
    assert "invalid_token" in refused.value.headers["WWW-Authenticate"]


async def test_a_rotated_key_is_found_without_restart(issuer: Issuer, local: LocalIssuer) -> None:
    clock = [1000.0]
    verifier = TokenVerifier([IssuerSettings(issuer=issuer.url, audience="leaves")], local)
    (trusted,) = verifier._trusted.values()
    trusted.keys._clock = lambda: clock[0]
    await verifier.verify(rs256(issuer))
    new = rsa.generate_private_key(65537, 2048)
    issuer.publish(new=new)
    try:
        with pytest.raises(ProblemError):  # asked a moment ago: unknown ids cannot flood the issuer
            await verifier.verify(rs256(issuer, new, "new"))
        asked = issuer.asked
        clock[0] += 11
        assert (await verifier.verify(rs256(issuer, new, "new"))).name == "Anna"
        assert issuer.asked == asked + 1
        with pytest.raises(ProblemError):
            await verifier.verify(rs256(issuer, sub="other"))  # the old key is gone
    finally:
        issuer.publish(rsa=RSA, ec=EC, ed=ED)


async def test_a_verified_token_is_refused_once_it_expires(issuer: Issuer, local: LocalIssuer) -> None:
    now = [time.time()]
    verifier = TokenVerifier([IssuerSettings(issuer=issuer.url, audience="leaves")], local, lambda: now[0])
    token = local.token("anna", ["predict"], seconds=-29)  # within the leeway
    await verifier.verify(token)
    now[0] += 3600
    verifier._local, local_issuer = None, verifier._local
    with pytest.raises(ProblemError):
        await verifier.verify(token)
    assert local_issuer is not None


async def test_a_withdrawn_key_is_refused_within_a_minute(issuer: Issuer, local: LocalIssuer) -> None:
    now = [time.time()]
    verifier = TokenVerifier([IssuerSettings(issuer=issuer.url, audience="leaves")], local, lambda: now[0])
    (trusted,) = verifier._trusted.values()
    trusted.keys._clock = lambda: now[0]
    token = rs256(issuer, exp=int(now[0]) + 86400)
    await verifier.verify(token)
    issuer.publish(ec=EC)
    try:
        now[0] += 3601  # the key set is fetched once an hour, and for every unknown key id
        with pytest.raises(ProblemError):
            await verifier.verify(token)
    finally:
        issuer.publish(rsa=RSA, ec=EC, ed=ED)


async def test_an_issuer_that_is_away_is_no_refusal(local: LocalIssuer) -> None:
    away = IssuerSettings(issuer="http://127.0.0.1:9", audience="leaves")
    token = jwt.encode({"iss": away.issuer, "sub": "a"}, RSA, "RS256", {"kid": "rsa"})
    with pytest.raises(ProblemError) as error:
        await TokenVerifier([away], local).verify(token)
    assert error.value.status == 503
