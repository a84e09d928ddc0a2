"""POST /v1/predict_async and GET /v1/result."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from serving.gateway.auth.local_issuer import LocalIssuer
from serving.gateway.log.database import Database
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.databases import RunningServer
from tests.support.services.gateway import start_gateway
from tests.support.services.servers import Server

PHOTO = (PHOTOS / SERVED[0]).read_bytes()


def wait(client: httpx.Client, task_id: str) -> dict[str, object]:
    deadline = time.monotonic() + 30
    while (answer := client.get(f"/v1/result/{task_id}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(answer)


def test_the_answer_comes_later(anna: httpx.Client, ben: httpx.Client) -> None:
    accepted = anna.post("/v1/predict_async", files={"file": ("a.jpg", PHOTO)})
    assert accepted.status_code == 202 and accepted.headers["Location"] and accepted.headers["Retry-After"]
    task = accepted.json()
    done = wait(anna, task["task_id"])
    now = anna.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}).json()
    assert done["state"] == "done"
    assert done["result"]["probabilities"] == now["probabilities"]  # type: ignore[index]
    assert ben.get(f"/v1/result/{task['task_id']}").status_code == 404
    stored = anna.get(f"/v1/predictions/{task['task_id']}").json()
    assert stored["source"] == "task"


def test_a_bad_photo_fails_with_the_predictors_reason(anna: httpx.Client) -> None:
    task = anna.post("/v1/predict_async", files={"file": ("a.jpg", PHOTO[:400])}).json()
    failed = wait(anna, task["task_id"])
    assert failed["state"] == "failed" and failed["problem"]["status"] == 422  # type: ignore[index]


def test_a_webhook_that_nobody_allowed(anna: httpx.Client) -> None:
    data = {"webhook": "http://127.0.0.1/"}
    refused = anna.post("/v1/predict_async", files={"file": ("a.jpg", PHOTO)}, data=data)
    assert refused.json()["reason"] == "webhook_not_allowed"


@pytest.mark.parametrize("task_id", ["0" * 32, "x", "..%2fpredictions"])
def test_unknown_tasks(anna: httpx.Client, task_id: str) -> None:
    assert anna.get(f"/v1/result/{task_id}").status_code in (400, 404)


def test_any_replica_answers_for_any_task(
    predictor: Server, redis: RunningServer, postgres: RunningServer, tmp_path: Path
) -> None:
    """Two replicas share PostgreSQL and Redis; only the second one works on tasks."""
    asyncio.run(Database(postgres.url).migrate())
    shared = {"database__url": postgres.url, "redis__url": redis.url}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = start_gateway(tmp_path / "one", predictor.url, tasks__workers=0, **shared)
    LocalIssuer.open(first.directory)
    (tmp_path / "two" / "gateway").mkdir()
    for name in ("issuer.json", "session.key"):
        (tmp_path / "two" / "gateway" / name).write_bytes((first.directory / name).read_bytes())
    second = start_gateway(tmp_path / "two", predictor.url, **shared)
    with first.client() as here, httpx.Client(base_url=second.url, headers=here.headers) as there:
        task = here.post("/v1/predict_async", files={"file": ("a.jpg", PHOTO)}).json()
        assert wait(there, task["task_id"])["state"] == "done"
        assert here.get(f"/v1/result/{task['task_id']}").json()["result"]["prediction"]
        assert here.get(f"/v1/predictions/{task['task_id']}").status_code == 200
    first.stop()
    second.stop()
