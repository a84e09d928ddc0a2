"""Health, quota, classes, metrics."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx

from tests.support.golden import PHOTOS, SERVED
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server

PHOTO = (PHOTOS / SERVED[0]).read_bytes()


def test_health_names_every_part(gateway: RunningGateway) -> None:
    answer = httpx.get(f"{gateway.url}/v1/health").json()
    assert answer["status"] in ("up", "degraded")
    assert set(answer["checks"]) == {"predictor", "database", "redis", "disk", "memory"}
    assert answer["checks"]["predictor"]["status"] == "up" and answer["checks"]["redis"]["status"] == "off"
    assert httpx.get(f"{gateway.url}/readyz").status_code == 200


def test_without_a_predictor_it_is_alive_but_not_ready(tmp_path: Path) -> None:
    gateway = start_gateway(tmp_path, "http://127.0.0.1:9")
    assert httpx.get(f"{gateway.url}/livez").status_code == 200
    assert httpx.get(f"{gateway.url}/readyz").status_code == 503
    assert httpx.get(f"{gateway.url}/v1/health").status_code == 503
    with gateway.client() as client:
        response = client.post("/v1/predict", files={"file": ("a.jpg", PHOTO)})
    assert response.status_code == 503 and response.json()["reason"] == "predictor_unreachable"
    assert response.headers["Retry-After"]
    gateway.stop()


def test_the_limit_is_per_user(predictor: Server, tmp_path: Path) -> None:
    gateway = start_gateway(tmp_path, predictor.url, limits__photos_per_minute=3)
    with gateway.client("anna") as anna, gateway.client("ben") as ben:
        codes = [anna.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        refused = anna.post("/v1/predict", files={"file": ("a.jpg", PHOTO)})
        assert 0 < int(refused.headers["Retry-After"]) <= 60 and refused.headers["RateLimit"].startswith(
            '"photos";r=0'
        )
        assert anna.get("/v1/quota").json()["remaining"] == 0
        assert ben.post("/v1/predict_batch", files=[("files", ("a.jpg", PHOTO))] * 2).status_code == 200
        assert ben.get("/v1/quota").json()["remaining"] == 1
    gateway.stop()


def test_metrics_are_by_route_not_by_path(gateway: RunningGateway, anna: httpx.Client) -> None:
    for n in range(3):
        anna.get(f"/v1/result/{n:032x}")
        anna.get(f"/nothing/{n}")
    text = httpx.get(f"{gateway.url}/metrics").text
    assert 'gateway_requests_total{method="GET",route="/v1/result/{task_id}",status="404"}' in text
    assert 'route="unmatched"' in text and "/nothing/" not in text


def test_classes(anna: httpx.Client) -> None:
    answer = anna.get("/v1/classes").json()
    assert len(answer["classes"]) == 3 and answer["model"]["version"]


def test_requests_in_progress_are_answered_before_it_ends(predictor: Server, tmp_path: Path) -> None:
    gateway = start_gateway(tmp_path, predictor.url)
    assert gateway.process
    with gateway.client() as client:
        assert client.get("/v1/quota").status_code == 200
        os.kill(gateway.process.pid, signal.SIGTERM)
        ready = [client.get("/readyz").status_code for _ in range(20)]
        assert ready[-1] == 503  # a load balancer sees it
        assert client.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}).status_code == 200
    assert gateway.process.wait(30) == 0


def test_problems_are_counted_by_reason(gateway: RunningGateway, anna: httpx.Client) -> None:
    before = _samples(gateway)
    anna.get(f"/v1/result/{7:032x}")
    anna.post("/v1/predict", files={"file": ("a.jpg", b"")})
    httpx.get(f"{gateway.url}/nothing")
    after = _samples(gateway)
    for reason in ("no_such_task", "empty", "not_found"):
        name = f'gateway_problems_total{{code="4xx",reason="{reason}"}}'
        assert after[name] == before.get(name, 0) + 1
    assert after['gateway_problems_total{code="5xx",reason="predictor_unreachable"}'] == 0  # for rate()


def test_waiting_tasks_are_measured_without_a_worker(predictor: Server, tmp_path: Path) -> None:
    gateway = start_gateway(tmp_path, predictor.url, tasks__workers=0)
    with gateway.client("anna") as anna:
        for name in ("a.jpg", "b.jpg"):
            assert anna.post("/v1/predict_async", files={"file": (name, PHOTO)}).status_code == 202
    samples = _samples(gateway)
    assert samples["gateway_tasks_waiting"] == 2
    assert 0 <= samples["gateway_oldest_task_seconds"] < 60
    assert samples["process_resident_memory_bytes"] > 1e6
    gateway.stop()


def _samples(gateway: RunningGateway) -> dict[str, float]:
    lines = httpx.get(f"{gateway.url}/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}
