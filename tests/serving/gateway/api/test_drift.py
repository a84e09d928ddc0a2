"""GET /v1/drift of a gateway that watches, and of one that does not."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.support.drift import bundle_with_reference, leaf_photos
from tests.support.services.gateway import start_gateway
from tests.support.services.processes import wait_until
from tests.support.services.servers import Server


def test_photos_are_counted_and_graded(predictor: Server, tmp_path: Path) -> None:
    bundle = bundle_with_reference(tmp_path / "bundle")
    watched = {"upstream__champion_bundle": bundle, "monitoring__every_seconds": 0.1}
    gateway = start_gateway(tmp_path, predictor.url, **watched)
    with gateway.client("rita", "predict review") as rita:
        empty = rita.get("/v1/drift")
        assert empty.status_code == 404 and empty.json()["type"].endswith("no_photos")
        for content in leaf_photos(500, 5):
            rita.post("/v1/predict", content=content, headers={"Content-Type": "image/png"})
        wait_until(lambda: rita.get("/v1/drift").json().get("photos") == 5, 30, "photos are compared")
        state = rita.get("/v1/drift").json()
    gateway.stop()
    assert (state["grade"], state["alarm_at"]) == ("none", 0)
    assert 0 < state["reference_accuracy"] <= 1 and 0 <= state["unknown_share"] <= 1


def test_who_may_ask_and_a_gateway_that_watches_nothing(anna: httpx.Client, reviewer: httpx.Client) -> None:
    assert anna.get("/v1/drift").status_code == 403
    refused = reviewer.get("/v1/drift")
    assert refused.status_code == 404 and refused.json()["type"].endswith("no_monitor")
