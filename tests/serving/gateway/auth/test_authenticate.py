"""Which of several credentials counts, and when a session is enough."""

from __future__ import annotations

import httpx

from tests.serving.gateway.console.conftest import browse, csrf_of
from tests.support.services.gateway import RunningGateway


def test_a_session_reads_with_its_cookie_and_writes_with_its_token(gateway: RunningGateway) -> None:
    with browse(gateway, "sid", "predict feedback") as sid:
        csrf = csrf_of(sid.get("/account"))
        assert sid.get("/v1/account").json()["name"] == "sid"
        body = {"name": "script"}
        for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": "ü".encode()}):
            assert sid.post("/v1/account/keys", json=body, headers=headers).json()["reason"] == "csrf"
        assert sid.post("/v1/account/keys", json=body, headers={"X-CSRF-Token": csrf}).status_code == 201


def test_credentials_in_headers_come_before_the_session(gateway: RunningGateway) -> None:
    with browse(gateway, "sid") as sid:
        other = {"Authorization": f"Bearer {gateway.token('anna')}"}
        assert sid.get("/v1/account", headers=other).json()["name"] == "anna"
        assert sid.get("/v1/account", headers={"Authorization": "Bearer nonsense"}).status_code == 401
        assert sid.get("/v1/account", headers={"X-API-Key": "pfk_nonsense"}).status_code == 401


def test_credentials_in_the_url_are_none(gateway: RunningGateway) -> None:
    """URLs end up in logs and histories."""
    token = gateway.token("anna")
    for name in ("access_token", "token", "api_key"):
        assert httpx.get(f"{gateway.url}/v1/account", params={name: token}).status_code == 401
