"""The Runs page before a real MLflow server with three runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker
from tests.serving.gateway.console.conftest import browse, open_context
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.mlflow_server import mlflow_server
from tests.support.services.servers import Server


@pytest.fixture(scope="module")
def recorded(predictor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway before a server with two runs that differ, and one that was not evaluated."""
    folder = tmp_path_factory.mktemp("recorded")
    with mlflow_server(folder) as url:
        settings = TrackingSettings(uri=url)
        for name, dropout, f1 in (("<b>first</b>", 0.2, 0.91), ("second", 0.4, 0.94)):
            with Tracker.open(settings, folder, name=name) as tracker:
                tracker.log_params({"seed": 0, "training": {"dropout": dropout}})
                for step in range(3):
                    tracker.log_metrics({"train/loss": dropout / (step + 1)}, step=step)
                tracker.log_scalars(
                    {
                        "test.macro_f1": f1,
                        "test.intervals.macro_f1.low": f1 - 0.05,
                        "test.intervals.macro_f1.high": f1 + 0.04,
                        "test.per_class.leaf_rust.f1": f1,
                        "test.photos": 40,
                        "test.mean_latency_ms": 7.5,
                    }
                )
        with pytest.raises(RuntimeError), Tracker.open(settings, folder, name="third"):
            raise RuntimeError
        running = start_gateway(folder, predictor.url, runs__mlflow_url=url)
        yield running
        running.stop()


def run_ids(page: httpx.Response) -> dict[str, str]:
    boxes = re.findall(r'name="run" value="(\w+)"(?: checked)?> (.+?)</label>', page.text)
    return {name: run_id for run_id, name in boxes}


def test_the_newest_runs_are_listed_with_figures_and_cost(recorded: RunningGateway) -> None:
    with browse(recorded, "rita", "review") as rita:
        page = rita.get("/runs")
        assert list(run_ids(page)) == ["third", "second", "&lt;b&gt;first&lt;/b&gt;"]
        assert "94.0% <small>89.0% – 98.0%</small>" in page.text and "7.5 ms" in page.text
        assert ">failed<" in page.text and "Settings that differ" not in page.text
        assert 'href="/runs" aria-current="page"' in page.text


def test_two_runs_side_by_side(recorded: RunningGateway) -> None:
    with browse(recorded, "rita", "review") as rita:
        _third, second, first = run_ids(rita.get("/runs")).values()
        page = rita.get("/runs", params={"run": [first, second]})
        assert page.status_code == 200 and page.text.count(" checked>") == 2
        compared = page.text.split('id="compared"')[1]
        assert re.search(r"training\.dropout</code></th><td.*>0\.2</td><td.*>0\.4</td>", compared)
        assert "seed" not in compared and "leaf rust" in compared and "different photos" not in compared
        assert compared.count("<polyline") == 2 and "<b>first" not in page.text
        german = rita.get("/runs", params={"run": [first, second], "language": "de"}).text
        assert "Einstellungen, die sich unterscheiden" in german and "Zeit für ein Foto" in german


def test_too_few_too_many_and_unknown_runs_are_said(recorded: RunningGateway) -> None:
    with browse(recorded, "rita", "review") as rita:
        ids = [*run_ids(rita.get("/runs")).values()]
        for chosen in (ids[:1], [f"{n:032x}" for n in range(5)]):
            page = rita.get("/runs", params={"run": chosen})
            assert page.status_code == 400 and "Choose two to four runs." in page.text
            assert 'role="alert"' in page.text and ids[0] in page.text
        page = rita.get("/runs", params={"run": [ids[0], "0" * 32]})
        assert page.status_code == 200 and "there is no run" in page.text and ids[0] in page.text
        assert rita.get("/runs", params={"run": "../x"}).status_code == 400


def test_runs_are_for_reviewers_and_administrators(recorded: RunningGateway) -> None:
    with browse(recorded, "eva", "predict feedback") as eva:
        assert eva.get("/runs").status_code == 403 and 'href="/runs"' not in eva.get("/").text
    with browse(recorded, "ada", "admin") as ada:
        assert ada.get("/runs").status_code == 200
    assert httpx.get(f"{recorded.url}/runs", headers={"Accept": "text/html"}).status_code == 303


def test_the_page_works_by_keyboard_and_is_accessible(chromium: Browser, recorded: RunningGateway) -> None:
    options = {"viewport": {"width": 360, "height": 900}, "color_scheme": "dark", "bypass_csp": True}
    context, elsewhere = open_context(chromium, recorded, "vera", **options)
    page = context.new_page()
    page.goto(f"{recorded.url}/runs")
    for box in page.locator("input[name=run]").all()[1:]:
        box.focus()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector("#compared svg")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
    assert not elsewhere
