"""The Runs page with recorded runs; tests/slow/gateway/test_runs_page.py opens it before a real MLflow."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.requests import Request

from phytoflow.tracking.compare.comparison import compare_runs
from serving.gateway.console.runs.page import _read, _render, _Shown
from serving.gateway.console.view import View
from serving.gateway.settings import RunsSettings
from tests.serving.gateway.console.conftest import browse
from tests.support.run_records import run_record
from tests.support.services.gateway import RunningGateway

FIGURES = {
    "test.macro_f1": 0.94,
    "test.intervals.macro_f1.low": 0.89,
    "test.intervals.macro_f1.high": 0.98,
    "test.per_class.leaf_rust.f1": 0.9,
    "test.photos": 40,
    "test.mean_latency_ms": 7.5,
}
CURVE = {"train/loss": [(0, 1.0), (1, 0.5)]}
ONE = run_record("<b>one</b>", FIGURES, parameters={"seed": "0", "dropout": "0.2"}, curves=CURVE)
TWO = run_record("two", FIGURES, parameters={"seed": "0", "dropout": "0.4"}, curves=CURVE)


def render(shown: _Shown, chosen: tuple[str, ...] = (), language: str = "en", *, fits: bool = True) -> str:
    """The page for a browser that is not signed in, which the route itself would send away."""
    sessions = SimpleNamespace(read=lambda request: None)
    services: Any = SimpleNamespace(authenticator=SimpleNamespace(sessions=sessions))
    query = f"language={language}".encode()
    request = Request({"type": "http", "path": "/runs", "query_string": query, "headers": []})
    page = _render(View(request, services), shown, list(chosen), configured=True, fits=fits)
    assert page.status_code == (200 if fits else 400)
    return bytes(page.body).decode()


def test_the_list_has_figures_cost_and_marks() -> None:
    page = render(_Shown([TWO, run_record("still training")], {TWO.id: ["champion"]}), (TWO.id,))
    assert "94.0% <small>89.0% – 98.0%</small>" in page and "7.5 ms" in page and "1.0 min" in page
    assert re.search(r"checked> two</label>\s*<span[^>]*>champion<", page) and page.count("checked") == 1
    assert "Settings that differ" not in page and ">failed<" not in page


def test_runs_side_by_side() -> None:
    shown = _Shown([ONE, TWO], comparison=compare_runs([ONE, TWO]))
    compared = render(shown, (ONE.id, TWO.id)).split('id="compared"')[1]
    assert re.search(r"<code>dropout</code></th><td[^>]*>0\.2</td><td[^>]*>0\.4</td>", compared)
    assert "seed" not in compared and "leaf rust" in compared and "different photos" not in compared
    assert compared.count("<polyline") == 2 and "<b>one" not in compared and "&lt;b&gt;one" in compared
    assert "script" not in compared and "style=" not in compared


def test_runs_of_other_test_photos_are_not_compared_silently() -> None:
    other = run_record("other", FIGURES | {"test.photos": 41})
    assert "tested on different photos" in render(_Shown(comparison=compare_runs([ONE, other])))


def test_the_page_is_translated() -> None:
    page = render(_Shown([ONE, TWO], comparison=compare_runs([ONE, TWO])), language="de")
    assert "Einstellungen, die sich unterscheiden" in page and "Zeit für ein Foto" in page


def test_a_wrong_number_of_runs_is_said() -> None:
    page = render(_Shown([ONE, TWO]), (ONE.id,), fits=False)
    assert 'role="alert">Choose two to four runs.' in page and "two</label>" in page


async def test_without_mlflow_a_sentence_says_so() -> None:
    away = await _read(RunsSettings(mlflow_url="http://user:secret@127.0.0.1:9"), ["a", "b"])
    page = render(away)
    assert "no runs can be read from MLflow at http://127.0.0.1:9" in page and "secret" not in page


def test_runs_are_for_reviewers_and_administrators(gateway: RunningGateway) -> None:
    for user, scopes in (("rita", "review"), ("ada", "admin")):
        with browse(gateway, user, scopes) as client:
            page = client.get("/runs")
            assert "runs.mlflow_url names no MLflow server" in page.text
            assert 'href="/runs" aria-current="page"' in page.text
            assert client.get("/runs?run=a").status_code == 400
            assert client.get("/runs?run=../x").status_code == 400
    with browse(gateway, "eva", "predict feedback") as eva:
        assert eva.get("/runs").status_code == 403 and 'href="/runs"' not in eva.get("/").text
    assert httpx.get(f"{gateway.url}/runs", headers={"Accept": "text/html"}).status_code == 303
