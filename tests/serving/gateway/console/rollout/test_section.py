"""The rollout on the Model page: who sees it, who decides, and how it looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from phytoflow.rollout.decide import Action
from serving.gateway.console.rollout.section import NEXT
from tests.serving.gateway.console.conftest import browse, csrf_of, open_context
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server

CHALLENGER = "http://127.0.0.1:9"  # nobody is there: a rollout can be begun and ended all the same
PROMOTE, ABORT = "/model/rollout/promote", "/model/rollout/abort"


@pytest.fixture(scope="module")
def rolling(predictor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with a rollout."""
    running = start_gateway(tmp_path_factory.mktemp("rolling"), predictor.url)
    begin(running)
    yield running
    running.stop()


def begin(gateway: RunningGateway) -> None:
    with gateway.client("<b>ada</b>", "admin") as admin:
        body = {"challenger": CHALLENGER, "settings": {"min_pairs": 37}}
        assert admin.post("/v1/rollouts", json=body).status_code == 201


@pytest.fixture
def admin(rolling: RunningGateway) -> Iterator[httpx.Client]:
    with browse(rolling, "ada") as client:
        yield client


def test_users_see_nothing_of_it_and_reviewers_may_not_decide(rolling: RunningGateway) -> None:
    with browse(rolling, "eva", "predict feedback") as eva:
        assert "needs 37 more answers" not in eva.get("/model").text
        csrf = csrf_of(eva.get("/account"))
        assert eva.post(ABORT, data={"csrf": csrf}).status_code == 403
    with browse(rolling, "rita", "predict review") as rita:
        page = rita.get("/model").text
        assert "needs 37 more answers" in page and CHALLENGER in page and ABORT not in page
        assert rita.post(ABORT, data={"csrf": csrf_of(rita.get("/model"))}).status_code == 403


def test_administrators_promote_and_abort(rolling: RunningGateway, admin: httpx.Client) -> None:
    page = admin.get("/model")
    assert "Shadow: it answers copies" in page.text and "&lt;b&gt;ada&lt;/b&gt;" in page.text
    assert admin.post(PROMOTE, data={"csrf": "0" * 64}).status_code == 403
    promoted = admin.post(PROMOTE, data={"csrf": csrf_of(page)})
    assert promoted.status_code == 200 and "Canary: it answers a share" in promoted.text
    assert "promoted by hand" in promoted.text and 'value="1"' in promoted.text
    aborted = admin.post(ABORT, data={"csrf": csrf_of(promoted)})
    assert "aborted by hand" in aborted.text and ABORT not in aborted.text
    assert admin.post(ABORT, data={"csrf": csrf_of(page)}).status_code == 409
    begin(rolling)


def test_it_is_translated(rolling: RunningGateway, admin: httpx.Client) -> None:
    page = admin.get("/model?language=de")
    assert "Schatten: Er beantwortet Kopien" in page.text and "Jetzt zur nächsten Stufe" in page.text
    assert "abwarten (es fehlen noch 37 Antworten)" in page.text and "Schatten 0 %" in page.text
    admin.post(PROMOTE, data={"csrf": csrf_of(page)})
    aborted = admin.post(ABORT, data={"csrf": csrf_of(page)}).text
    assert "nichts (von ada)" in aborted and aborted.count("<td>von ada</td>") == 2
    assert "Teilbetrieb 1 %" in aborted
    with rolling.client("ada", "admin") as client:
        assert client.get("/v1/rollouts/current").json()["next"] == "nothing: by ada"
    begin(rolling)


def test_every_next_step_has_words() -> None:
    assert set(NEXT) == {*get_args(Action), "nothing"}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_it_is_accessible_and_fits(
    chromium: Browser, rolling: RunningGateway, width: int, scheme: str, language: str
) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    context, elsewhere = open_context(chromium, rolling, "vera", **options)
    page = context.new_page()
    page.goto(f"{rolling.url}/model?language={language}")
    page.locator("#rollout").wait_for()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert not elsewhere
