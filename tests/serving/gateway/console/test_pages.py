"""Every page without scripts, and what an unauthenticated visitor must not be able to do with them."""

from __future__ import annotations

import uuid

import httpx
import pytest
from starlette.requests import Request

from serving.gateway.console.sign_in import _may_use_links
from serving.gateway.settings import AuthSettings
from tests.serving.gateway.api.test_predictions import _unique
from tests.serving.gateway.console.conftest import browse, csrf_of, sign_in_link
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.gateway import RunningGateway

PHOTO = (PHOTOS / SERVED[2]).read_bytes()
EVIL = '"><img src=x onerror=alert(1)>.jpg'


def identify(client: httpx.Client, name: str = "leaf.jpg", content: bytes = PHOTO) -> httpx.Response:
    csrf = csrf_of(client.get("/"))
    return client.post("/identify", data={"csrf": csrf}, files={"files": (name, content)})


def test_identify_and_feedback_without_scripts(eva: httpx.Client) -> None:
    page = identify(eva)
    assert page.status_code == 200 and "Of 100 photos answered like this one" in page.text
    (prediction,) = {part.split('"')[0] for part in page.text.split('action="/predictions/')[1:]}
    path = f"/predictions/{prediction.split('/')[0]}"
    photo = eva.get(f"{path}/photo")
    assert photo.headers["content-type"] == "image/jpeg"
    done = eva.post(
        f"{path}/feedback", data={"csrf": csrf_of(page), "verdict": "label", "label": "", "other": "thrips"}
    )
    assert done.status_code == 200 and "thrips" in done.text and str(done.url).endswith(path)
    assert "thrips" in eva.get(path).text


def test_several_photos_and_a_bad_one(eva: httpx.Client) -> None:
    csrf = csrf_of(eva.get("/"))
    two = [("files", ("a.jpg", PHOTO)), ("files", ("b.jpg", PHOTO))]
    assert eva.post("/identify", data={"csrf": csrf}, files=two).text.count('<article class="result') == 2
    bad = eva.post("/identify", data={"csrf": csrf}, files={"files": ("c.jpg", b"no photo at all")})
    assert bad.status_code == 422 and 'role="alert"' in bad.text


def test_pages_need_a_session(gateway: RunningGateway) -> None:
    for path in (
        "/",
        "/history",
        "/review",
        "/trends",
        "/model",
        "/runs",
        "/system",
        "/account",
        "/model/champion/report",
    ):
        page = httpx.get(gateway.url + path, headers={"Accept": "text/html"})
        assert page.status_code == 303 and page.headers["location"].startswith("/sign-in?next="), path


def test_reviewers_pages_are_not_for_everybody(eva: httpx.Client) -> None:
    for path in ("/review", "/trends"):
        page = eva.get(path)
        assert page.status_code == 403 and "<h1>Not allowed</h1>" in page.text
    assert "/review" not in eva.get("/").text


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_post_without_the_sessions_token_is_refused(eva: httpx.Client, token: str) -> None:
    for path, fields in (
        ("/account/keys", {"name": "x"}),
        ("/account/erase", {"confirm": "yes"}),
        ("/sign-out", {}),
        (f"/predictions/{'0' * 32}/feedback", {"verdict": "right"}),
        (f"/review/{'0' * 32}", {"decision": "reject"}),
    ):
        assert eva.post(path, data=fields | {"csrf": token}).status_code == 403, path
    assert eva.post("/identify", data={"csrf": token}, files={"files": ("a.jpg", PHOTO)}).status_code == 403
    # The API takes the session's cookie only together with its token.
    assert eva.post("/v1/feedback", json={"prediction_id": "0" * 32, "verdict": "right"}).status_code == 403


def test_one_sessions_token_does_not_fit_another(gateway: RunningGateway, eva: httpx.Client) -> None:
    with browse(gateway, "otto") as otto:
        assert (
            otto.post("/account/keys", data={"csrf": csrf_of(eva.get("/")), "name": "x"}).status_code == 403
        )


def test_names_are_text_never_markup(gateway: RunningGateway, eva: httpx.Client) -> None:
    page = identify(eva, EVIL, _unique())
    assert "<img src=x" not in page.text and "&lt;img src=x" in page.text
    path = "/predictions/" + page.text.split('action="/predictions/')[1].split("/")[0]
    fields = {"csrf": csrf_of(page), "verdict": "label", "other": "<img src=x onerror=alert(1)>"}
    assert "<img src=x" not in eva.post(f"{path}/feedback", data=fields).text
    with browse(gateway, "rita") as rita:
        assert "<img src=x" not in rita.get("/review").text
    assert "<img src=x" not in eva.get("/history").text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_open_redirect(gateway: RunningGateway, target: str) -> None:
    page = httpx.get(f"{gateway.url}/sign-in", params={"next": target}, headers={"Accept": "text/html"})
    assert "evil" not in page.text and "javascript:alert" not in page.text


def test_a_link_works_once(gateway: RunningGateway) -> None:
    link = sign_in_link(gateway, "leo")
    with httpx.Client(follow_redirects=True) as first, httpx.Client(follow_redirects=True) as second:
        assert first.get(link).status_code == 200
        assert second.get(link).status_code == 401
        forged = link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB")
        assert second.get(forged).status_code == 401


def test_cookies_are_out_of_reach(gateway: RunningGateway) -> None:
    response = httpx.get(sign_in_link(gateway, "leo"))
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and response.status_code == 303


def test_a_forged_session_is_none(gateway: RunningGateway, eva: httpx.Client) -> None:
    value = eva.cookies["phytoflow"]
    for forged in (value[:-3] + "abc", value + "x", "", "a.b.c"):
        page = httpx.get(f"{gateway.url}/history", cookies={"phytoflow": forged})
        assert page.status_code == 303


def test_sign_out_and_language(gateway: RunningGateway) -> None:
    with browse(gateway, "max") as client:
        german = client.get("/?language=de")
        assert '<html lang="de">' in german.text and "Was ist auf diesem Blatt?" in german.text
        assert "Fotos auswählen" in client.get("/").text  # remembered
        assert "sehr wahrscheinlich" in identify(client).text
        client.post("/sign-out", data={"csrf": csrf_of(client.get("/"))})
        assert "/sign-in" in str(client.get("/").url)
    french = httpx.get(f"{gateway.url}/sign-in", headers={"Accept-Language": "fr, de;q=0.8"})
    assert '<html lang="de">' in french.text


def test_keys_export_and_erase_from_the_page(gateway: RunningGateway) -> None:
    with browse(gateway, f"nina-{uuid.uuid4()}", "predict feedback") as client:
        identify(client)
        csrf = csrf_of(client.get("/account"))
        page = client.post(
            "/account/keys", data={"csrf": csrf, "name": "field <b>tablet</b>", "scope_predict": "on"}
        )
        key = page.text.split('class="secret">')[1].split("<")[0]
        assert "<b>tablet" not in page.text
        headers = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{gateway.url}/v1/account", headers=headers).json()["scopes"] == ["predict"]
        assert (
            client.post("/account/keys", data={"csrf": csrf, "name": "x", "scope_admin": "on"}).status_code
            == 403
        )
        key_id = key.split("_")[1]
        client.post("/account/keys/revoke", data={"csrf": csrf, "id": key_id})
        assert client.get("/v1/account/export").text.count('"kind":"prediction"') == 1
        assert client.post("/account/erase", data={"csrf": csrf}).status_code == 400
        assert "/sign-in" in str(client.post("/account/erase", data={"csrf": csrf, "confirm": "yes"}).url)


def test_a_copied_cookie_is_worthless_once_its_owner_signed_out(gateway: RunningGateway) -> None:
    with browse(gateway, "leo") as leo, browse(gateway, "leo") as elsewhere:
        with httpx.Client(base_url=gateway.url, cookies=dict(leo.cookies)) as thief:
            assert thief.get("/v1/account").status_code == 200
            leo.post("/sign-out", data={"csrf": csrf_of(leo.get("/"))})
            assert thief.get("/v1/account").status_code == 401
            assert thief.get("/history", headers={"Accept": "text/html"}).status_code == 303
        assert elsewhere.get("/v1/account").status_code == 200  # his other browser stays signed in


def test_review_by_forms(gateway: RunningGateway, eva: httpx.Client) -> None:
    page = identify(eva, content=_unique())
    prediction = page.text.split('action="/predictions/')[1].split("/")[0]
    eva.post(f"/predictions/{prediction}/feedback", data={"csrf": csrf_of(page), "verdict": "right"})
    with browse(gateway, "rita") as rita:
        listed = [item["id"] for item in rita.get("/v1/review?limit=200").json()]
        assert prediction in listed
        shown = rita.get(f"/review?skip={listed.index(prediction)}")
        assert f"/review/{prediction}" in shown.text
        rita.post(
            f"/review/{prediction}", data={"csrf": csrf_of(shown), "decision": "accept", "label": "scab"}
        )
        assert rita.get(f"/v1/predictions/{prediction}").json()["review"] == "accepted"
        empty = rita.post(f"/review/{prediction}", data={"csrf": csrf_of(shown), "decision": "accept"})
        assert empty.status_code == 400


def test_trends_model_and_system(gateway: RunningGateway, eva: httpx.Client) -> None:
    identify(eva)
    with browse(gateway, "rita") as rita:
        assert (
            "<svg" in rita.get("/trends?days=1").text
            and "No photos" in rita.get("/trends?model_version=none").text
        )
        assert "must not be used" in rita.get("/model").text
        assert "Everything is up" in rita.get("/system").text or "restrictions" in rita.get("/system").text
        assert rita.get("/model/champion/report").status_code == 404


def test_errors_are_pages_for_browsers_and_documents_for_programs(
    gateway: RunningGateway, eva: httpx.Client
) -> None:
    assert "<h1>Not found</h1>" in eva.get("/nothing").text
    program = httpx.get(f"{gateway.url}/nothing")
    assert program.headers["content-type"] == "application/problem+json"


def test_a_link_from_elsewhere_is_refused(gateway: RunningGateway) -> None:
    """By default only this machine may use one-time links."""
    networks = AuthSettings().link_networks
    for address, allowed in (("192.0.2.7", False), ("127.0.0.1", True), ("::ffff:127.0.0.1", True)):
        scope = {"type": "http", "client": (address, 5), "headers": []}
        assert _may_use_links(Request(scope), networks) is allowed
