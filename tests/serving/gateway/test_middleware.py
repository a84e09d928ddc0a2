"""Around every request: strict headers, bounded bytes, routes as labels, and logs without secrets."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.gateway.auth.local_issuer import LocalIssuer
from tests.serving.gateway.console.conftest import csrf_of, sign_in_link
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server

PHOTO = (PHOTOS / SERVED[0]).read_bytes()
LIMIT = 300_000


@pytest.fixture(scope="module")
def small(predictor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that holds few bytes at once, for a site reached by https."""
    gateway = start_gateway(
        tmp_path_factory.mktemp("small"),
        predictor.url,
        server__max_in_flight_bytes=LIMIT,
        server__public_url="https://leaves.example",
    )
    yield gateway
    gateway.stop()


def test_every_answer_carries_a_strict_policy(gateway: RunningGateway) -> None:
    """Pages, documents, files and errors: nothing inline, nothing from elsewhere."""
    for path in (
        "/sign-in",
        "/docs",
        "/openapi.json",
        "/static/console.js",
        "/v1/health",
        "/nothing",
        "/v1/predict",
    ):
        headers = httpx.get(gateway.url + path).headers
        policy = dict(
            part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'", path
        assert (
            policy["frame-ancestors"] == policy["base-uri"] == "'none'" and policy["form-action"] == "'self'"
        )
        assert (
            "unsafe" not in headers["content-security-policy"]
            and "http" not in headers["content-security-policy"]
        )
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_no_page_needs_anything_inline(gateway: RunningGateway) -> None:
    with httpx.Client(headers={"Accept": "text/html"}, follow_redirects=True) as client:
        client.get(sign_in_link(gateway, "ida"))
        for path in ("/", "/history", "/review", "/trends", "/model", "/system", "/account", "/docs"):
            text = client.get(gateway.url + path).text
            assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style|javascript:", text), (
                path
            )
            assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text), path


def test_browsers_come_back_by_https_only_where_the_site_has_it(
    small: RunningGateway, gateway: RunningGateway
) -> None:
    assert "strict-transport-security" in httpx.get(f"{small.url}/livez").headers
    assert "strict-transport-security" not in httpx.get(f"{gateway.url}/livez").headers


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_all_bounds_is_refused(small: RunningGateway, announced: bool) -> None:
    """Also one whose length is not announced: it is counted as it comes."""
    body = b"\xff" * (LIMIT + 1)
    content = body if announced else iter([body[:100_000]] * 4)
    with small.client() as client:
        refused = client.post("/v1/predict", content=content, headers={"Content-Type": "image/jpeg"})
        assert refused.status_code == 413 and refused.json()["reason"] == "too_large"
        assert (
            client.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}).status_code == 200
        )  # all given back


def test_what_is_in_progress_leaves_less_for_others(small: RunningGateway) -> None:
    host, port = small.url.removeprefix("http://").split(":")
    head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {small.token()}\r\n"
    head += f"Content-Type: image/jpeg\r\nContent-Length: {LIMIT - 1000}\r\n\r\n"
    with socket.create_connection((host, int(port))) as slow, small.client() as client:
        slow.sendall(head.encode() + b"\xff" * 1000)
        while (answer := client.post("/v1/predict", files={"file": ("a.jpg", PHOTO)})).status_code == 200:
            pass  # until the slow request has arrived
        assert (answer.status_code, answer.json()["reason"]) == (503, "overloaded")
        assert answer.headers["Retry-After"] == "1"
        assert client.get("/v1/quota").status_code == 200


def test_routes_with_names_in_them_are_one_label(gateway: RunningGateway) -> None:
    for name in ("t", "st", "docs", "a/b", "v1"):
        httpx.get(f"{gateway.url}/static/{name}")
        httpx.get(f"{gateway.url}/docs/{name}")
    routes = set(re.findall(r'route="([^"]+)"', httpx.get(f"{gateway.url}/metrics").text))
    assert {r for r in routes if "static" in r} == {"/static/{name}"}
    assert {r for r in routes if r.startswith("/docs/")} == {"/docs/{name}"}


def test_secrets_are_never_in_the_log(predictor: Server, tmp_path: Path) -> None:
    """A session with tokens, keys, links, cookies, refusals and a failure; then the whole log is read."""
    gateway = start_gateway(tmp_path, predictor.url)
    secrets = {"token": gateway.token("lea", "predict feedback review admin")}
    link = sign_in_link(gateway, "lea")
    secrets["code"] = link.partition("code=")[2]
    with httpx.Client(headers={"Accept": "text/html"}, follow_redirects=True) as browser:
        assert browser.get(link).status_code == 200
        assert browser.get(link).status_code == 401
        secrets["session"] = browser.cookies["phytoflow"]
        secrets["csrf"] = csrf_of(browser.get(f"{gateway.url}/account"))
        page = browser.post(f"{gateway.url}/account/keys", data={"csrf": secrets["csrf"], "name": "k"})
        secrets["key"] = page.text.split('class="secret">')[1].split("<")[0]
        browser.post(f"{gateway.url}/account/keys", data={"csrf": "wrong", "name": "k"})
    with gateway.client("lea") as client:
        client.headers["Authorization"] = f"Bearer {secrets['token']}"
        client.post("/v1/predict", files={"file": ("my private garden.jpg", PHOTO)})
        client.get("/v1/account", headers={"Authorization": f"Bearer {secrets['token'][:-4]}AAAA"})
        client.get("/v1/account", headers={"X-API-Key": secrets["key"]})
        client.get("/v1/account", headers={"X-API-Key": secrets["key"] + "x"})
    secrets["issuer's key"] = LocalIssuer.open(gateway.directory).private_key.private_bytes_raw().hex()
    secrets["session key"] = (gateway.directory / "session.key").read_text().strip('"')
    secrets["photo's name"] = "my private garden"
    gateway.stop()
    log = gateway.log.read_text()
    assert "Uvicorn running" in log or "Started server" in log, log  # there is a log
    for name, secret in secrets.items():
        assert len(secret) > 8 and secret not in log and secret.rpartition(".")[2] not in log, name
