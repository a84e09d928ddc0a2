"""Sign-in to the console at a real OpenID provider: code flow with PKCE, and what must not work."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from phytoflow.system.ports import free_port
from serving.gateway.auth.oidc import OidcClient
from serving.gateway.settings import SignInSettings
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.openid import authorize, openid_provider
from tests.support.services.servers import Server


@pytest.fixture(scope="module")
def console(predictor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway whose console signs in at a provider; rita reviews there."""
    folder, port = tmp_path_factory.mktemp("openid"), free_port()
    callback = f"http://127.0.0.1:{port}/sign-in/callback"
    with openid_provider(folder / "provider", callback) as issuer:
        gateway = start_gateway(
            folder,
            predictor.url,
            port=port,
            auth__sign_in__issuer=issuer,
            auth__sign_in__client_id="console",
            auth__sign_in__reviewers='["rita"]',
        )
        yield gateway
        gateway.stop()


def callback_of(gateway: RunningGateway) -> str:
    return f"{gateway.url}/sign-in/callback"


def sign_in(browser: httpx.Client, gateway: RunningGateway, user: str, target: str = "/history") -> str:
    """Up to the address with the code, which is not yet opened."""
    started = browser.get(f"{gateway.url}/sign-in/start", params={"next": target}, follow_redirects=False)
    assert started.status_code == 303
    return authorize(browser, started.headers["location"], user, callback_of(gateway))


@pytest.mark.parametrize(("user", "review"), [("anna", 403), ("rita", 200)])
def test_signing_in_and_what_one_may_then(console: RunningGateway, user: str, review: int) -> None:
    with httpx.Client(headers={"Accept": "text/html"}) as browser:
        landed = browser.get(sign_in(browser, console, user), follow_redirects=True)
        assert landed.status_code == 200 and landed.url.path == "/history"
        assert browser.get(f"{console.url}/v1/account").json()["name"] == f"Name of {user}"
        assert browser.get(f"{console.url}/review").status_code == review
        assert browser.get(f"{console.url}/v1/analytics/users").status_code == 403


def test_the_request_to_the_provider_is_bound_to_this_browser(console: RunningGateway) -> None:
    with httpx.Client() as browser:
        started = browser.get(f"{console.url}/sign-in/start", follow_redirects=False)
    query = parse_qs(urlsplit(started.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"] and query["response_type"] == ["code"]
    assert len(query["state"][0]) >= 32 and len(query["nonce"][0]) >= 32 and "client_secret" not in query
    assert "httponly" in started.headers["set-cookie"].lower()


def test_another_state_or_another_browser_is_refused(console: RunningGateway) -> None:
    with httpx.Client() as browser, httpx.Client() as other:
        back = sign_in(browser, console, "anna")
        forged = back.replace("state=", "state=x")
        assert browser.get(forged).json()["reason"] == "sign_in_failed"
        assert other.get(back).json()["reason"] == "sign_in_failed"  # it lacks the first one's cookie
        sign_in(other, console, "eve")
        assert other.get(back).json()["reason"] == "sign_in_failed"  # its cookie is of another sign-in
        assert browser.get(f"{console.url}/v1/account").status_code == 401


def test_an_answer_counts_once(console: RunningGateway) -> None:
    with httpx.Client() as browser:
        back = sign_in(browser, console, "anna")
        kept = browser.cookies["phytoflow-sign-in"]
        assert browser.get(back).status_code == 303
        assert browser.get(back).status_code == 400  # the cookie of the sign-in is gone
        replayed = httpx.get(back, cookies={"phytoflow-sign-in": kept})
        assert replayed.status_code == 401 and "set-cookie" not in replayed.headers  # the code is used


@pytest.mark.parametrize("query", ["error=access_denied", "code=made-up", ""])
def test_a_failed_sign_in_is_said(console: RunningGateway, query: str) -> None:
    with httpx.Client(headers={"Accept": "text/html"}) as browser:
        back = sign_in(browser, console, "anna")
        state = parse_qs(urlsplit(back).query)["state"][0]
        page = browser.get(f"{callback_of(console)}?{query}&state={state}")
        assert page.status_code in (400, 401) and "sign in again" in page.text


async def test_nonce_and_verifier_belong_to_one_sign_in(console: RunningGateway) -> None:
    settings = SignInSettings(
        issuer=console.environment["PHYTOFLOW_GATEWAY__AUTH__SIGN_IN__ISSUER"], client_id="console"
    )
    client, callback = OidcClient(settings), callback_of(console)
    verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": "console",
        "redirect_uri": callback,
        "scope": "openid profile",
        "state": "s",
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    url = f"{(await client.provider())['authorization_endpoint']}?{urlencode(query)}"

    def code() -> str:
        with httpx.Client() as browser:
            return parse_qs(urlsplit(authorize(browser, url, "anna", callback)).query)["code"][0]

    assert (await client.exchange(code(), verifier, nonce, callback))["sub"] == "anna"
    with pytest.raises(jwt.InvalidTokenError, match="another sign-in"):
        await client.exchange(code(), verifier, "another", callback)
    with pytest.raises(ValueError, match="HTTP 400"):
        await client.exchange(code(), secrets.token_urlsafe(32), nonce, callback)
