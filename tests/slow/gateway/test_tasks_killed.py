"""Asynchronous tasks while their worker, the gateway and Redis are killed again and again."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from serving.gateway.log.database import Database
from serving.gateway.log.tables import HourlyCount, Prediction
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.databases import redis_server
from tests.support.services.gateway import ROOT, RunningGateway, start_gateway
from tests.support.services.servers import Server

TASKS, KILLS = 500, 20
PHOTO = (PHOTOS / SERVED[0]).read_bytes()


class WorkerProcess:
    """A worker of its own on the gateway's directory."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._gateway = gateway
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "serving.gateway", "worker", "--count=2"]
        command += ["--directory", str(self._gateway.directory)]
        environment = os.environ | self._gateway.environment | {"PYTHONPATH": str(ROOT)}
        with self._gateway.log.with_name("worker.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_no_accepted_task_is_lost_or_logged_twice(predictor: Server, tmp_path: Path, store: str) -> None:
    settings: dict[str, object] = {"tasks__workers": 0, "tasks__lease_seconds": 2, "tasks__max_attempts": 100}
    servers: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {}
    if store == "redis":
        redis = redis_server(tmp_path)
        settings["redis__url"] = redis.url
        servers["redis"] = (redis.kill, redis.start)
    gateway = start_gateway(tmp_path, predictor.url, **settings)
    worker = WorkerProcess(gateway)
    servers |= {"gateway": (gateway.kill, gateway.start), "worker": (worker.kill, worker.start)}

    victims, kills, accepted = itertools.cycle(servers.values()), 0, []
    with gateway.client() as client:
        for number in range(TASKS):
            if number % (TASKS // KILLS) == TASKS // KILLS // 2:
                kill, start = next(victims)
                kill()
                kills += 1
                start()
            accepted.append(_put(client))
        _wait_for(client, accepted)
    gateway.stop()
    worker.kill()
    if store == "redis":
        redis.stop()
    rows, counted, logged = asyncio.run(_read(gateway.directory))
    print(f"{store}: {len(accepted)} tasks, {kills} kills, {rows} predictions logged, {counted} counted")
    assert kills == KILLS and set(accepted) <= logged and len(set(accepted)) == TASKS
    assert rows == len(logged) == counted  # a task that was accepted but whose 202 was lost is there, too


def _put(client: httpx.Client) -> str:
    """A task's id, once it was accepted; what is not accepted is sent again, as clients do."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            answer = client.post("/v1/predict_async", files={"file": ("a.jpg", PHOTO)})
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if answer.status_code == 202:
            return str(answer.json()["task_id"])
        assert answer.status_code == 503, answer.text
        time.sleep(0.1)
    raise TimeoutError("no task was accepted")


def _wait_for(client: httpx.Client, accepted: list[str]) -> None:
    waiting, deadline = set(accepted), time.monotonic() + 600
    while waiting and time.monotonic() < deadline:
        for task_id in list(waiting):
            answer = client.get(f"/v1/result/{task_id}")
            assert answer.status_code == 200, (task_id, answer.text)  # 404: it is lost
            task = answer.json()
            assert task["state"] != "failed", task
            if task["state"] == "done":
                assert task["result"]["id"] == task_id and task["result"]["probabilities"]
                waiting.discard(task_id)
        time.sleep(0.2)
    assert not waiting


async def _read(directory: Path) -> tuple[int, int, set[str]]:
    """Rows, the sum of the hourly counts, and the ids of all logged predictions."""
    database = Database(f"sqlite+aiosqlite:///{directory / 'gateway.db'}")
    await _load_what_was_left(database, directory)
    async with database.connection() as connection:
        ids = list(await connection.scalars(select(Prediction.id)))
        counted = (await connection.execute(select(func.sum(HourlyCount.photos)))).scalar_one()
    await database.close()
    return len(ids), int(counted), set(ids)


async def _load_what_was_left(database: Database, directory: Path) -> None:
    """A killed process leaves its journal for the next one."""
    from serving.gateway.log.journal import Journal
    from serving.gateway.log.writer import LogWriter

    log = LogWriter(database, Journal(directory / "journal", 10**9), 1)
    assert await log.flush()
    await log.close()
