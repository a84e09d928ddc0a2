"""Dark photos sent to the real gateway raise the alarm: on the page, in the metrics, at the webhook."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import httpx
import pytest

from tests.serving.gateway.console.conftest import browse
from tests.support.drift import bundle_with_reference, leaf_photos
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.processes import wait_until
from tests.support.services.servers import Server

_PHOTOS = 48


class _Receiver(BaseHTTPRequestHandler):
    events: ClassVar[list[dict[str, object]]] = []

    def do_POST(self) -> None:
        self.events.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def watching(
    predictor: Server, receiver: HTTPServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("watching")
    (folder / "secret").write_text("s" * 32)
    running = start_gateway(
        folder,
        predictor.url,
        upstream__champion_bundle=bundle_with_reference(folder / "bundle"),
        monitoring__every_seconds=0.2,
        monitoring__webhook_url=f"http://127.0.0.1:{receiver.server_port}/",
        tasks__webhook_hosts='["127.0.0.1"]',
        tasks__webhook_secret_file=folder / "secret",
        tasks__webhook_private="true",
    )
    yield running
    running.stop()


def _metric(gateway: RunningGateway, series: str) -> float | None:
    text = httpx.get(f"{gateway.url}/metrics").text
    value = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(value[1]) if value else None


@pytest.fixture(scope="module")
def alarmed(watching: RunningGateway) -> RunningGateway:
    photos = leaf_photos(0, _PHOTOS, brightness=0.3)
    with watching.client("anna") as client:
        for number, photo in enumerate(photos):
            answer = client.post("/v1/predict", files={"file": (f"{number}.png", photo)})
            assert answer.status_code == 200, answer.text
    wait_until(lambda: _metric(watching, "gateway_drift_photos") == _PHOTOS, 60, "all photos are compared")
    return watching


def test_every_photo_is_compared_once_and_the_alarm_is_a_metric(alarmed: RunningGateway) -> None:
    wealth = _metric(alarmed, "gateway_drift_wealth")
    assert wealth is not None and wealth >= 200
    assert _metric(alarmed, 'gateway_drift_grade{grade="none"}') == 0


def test_the_page_shows_grade_reasons_and_photos_to_reviewers(alarmed: RunningGateway) -> None:
    with browse(alarmed, "rita") as reviewer:
        page = reviewer.get("/drift")
        assert page.status_code == 200
        assert "What moved" in page.text and "The alarm was raised by photo" in page.text
        assert page.text.count("/predictions/") >= 8
        probe = reviewer.get("/drift/probes/0")
        assert probe.headers["content-type"].startswith("image/")
        assert reviewer.get("/drift/probes/999").status_code == 404
        german = reviewer.get("/drift?language=de").text
        assert "Was sich verändert hat" in german
    with browse(alarmed, "eva", "predict feedback") as user:
        assert user.get("/drift").status_code == 403


def test_the_webhook_is_told_once(alarmed: RunningGateway) -> None:
    wait_until(lambda: bool(_Receiver.events), 30, "the webhook is told")
    first = _Receiver.events[0]
    assert first["event"] == "drift.alarm"
    assert first["grade"] in ("ungraded", "harmless", "harmful", "unfamiliar")
    kinds = [(event["event"], event["grade"]) for event in _Receiver.events]
    assert len(kinds) == len(set(kinds))


def test_a_gateway_without_a_bundle_says_that_it_does_not_watch(gateway: RunningGateway) -> None:
    with browse(gateway, "rita") as reviewer:
        assert "Drift is not watched" in reviewer.get("/drift").text
