"""The prediction log while its database is away and the gateway is killed: every answer becomes a row.

`PHYTOFLOW_TEST_REQUESTS` says how many requests are sent (20,000); the outage is a minute of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from benchmarks.gateway.requests import gateway_request
from benchmarks.serving.load import run
from serving.gateway.log.database import Database
from serving.gateway.log.tables import HourlyCount, Prediction
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.databases import postgres_server
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server

REQUESTS = int(os.environ.get("PHYTOFLOW_TEST_REQUESTS", "20000"))
OUTAGE_SECONDS = max(6.0, 60 * min(1.0, REQUESTS / 20_000))
CLIENTS = 4
WINDOW_SECONDS = 3.0
PHOTO = (PHOTOS / SERVED[0]).read_bytes()


@dataclass
class Callers:
    """Clients that send the photo again as soon as they are answered.

    Attributes:
        gateway: What they ask.
        answered: Ids of the predictions that were answered.
        milliseconds: Latencies of each phase.
    """

    gateway: RunningGateway
    answered: list[str] = field(default_factory=list)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, phase: str, seconds: float) -> None:
        """Asks for a while, or until the gateway is killed."""
        port = int(self.gateway.url.rsplit(":", 1)[1])
        window = run(port, [gateway_request(PHOTO, self.gateway.token())], CLIENTS, seconds)
        assert all(b" 200" in status for _, status, _ in window.answers), window.answers[-1]
        self.answered += [json.loads(body)["id"] for _, _, body in window.answers]
        self.milliseconds.setdefault(phase, []).extend(1000 * one for one in window.latencies)

    def p99(self, phase: str) -> float:
        """99th percentile of a phase, in milliseconds."""
        return float(np.percentile(self.milliseconds[phase], 99))


@pytest.mark.timeout(3600)
def test_every_answer_becomes_a_row(predictor: Server, tmp_path: Path) -> None:
    postgres = postgres_server(tmp_path)
    database = Database(postgres.url)
    asyncio.run(_migrate(database))
    gateway = start_gateway(tmp_path, predictor.url, database__url=postgres.url)
    callers = Callers(gateway)
    while len(callers.answered) < REQUESTS / 4:
        callers.ask("database up", WINDOW_SECONDS)
    postgres.stop()
    _outage(callers)
    postgres.start()
    while len(callers.answered) < REQUESTS:
        callers.ask("database back", WINDOW_SECONDS)
    ids, counted = asyncio.run(_await_rows(Database(postgres.url), len(callers.answered)))
    gateway.stop()
    postgres.stop()

    phases = ", ".join(f"{phase} {callers.p99(phase):.1f} ms" for phase in callers.milliseconds)
    print(f"{len(callers.answered)} answers, {len(ids)} rows, {counted} counted; p99: {phases}")
    assert len(set(callers.answered)) == len(callers.answered) >= REQUESTS
    assert set(callers.answered) <= ids and counted == len(ids)
    # Photos that were being answered when the gateway was killed may be rows without an answer.
    assert len(ids) <= len(callers.answered) + CLIENTS


def _outage(callers: Callers) -> None:
    """The database is away for a while, and halfway the gateway is killed and started again."""
    end = time.monotonic() + OUTAGE_SECONDS
    kill = threading.Timer(OUTAGE_SECONDS / 2, callers.gateway.kill)
    kill.start()
    callers.ask("database away", OUTAGE_SECONDS)
    kill.join()
    callers.gateway.start()
    while time.monotonic() < end:
        callers.ask("database away", WINDOW_SECONDS)


async def _migrate(database: Database) -> None:
    await database.migrate()
    await database.close()


async def _await_rows(database: Database, count: int, seconds: float = 120) -> tuple[set[str], int]:
    """Ids of all rows once there are as many as answers, and the sum of the hourly counts."""
    deadline = time.monotonic() + seconds
    while True:
        async with database.connection() as connection:
            ids = set(await connection.scalars(select(Prediction.id)))
            counted = (await connection.execute(select(func.sum(HourlyCount.photos)))).scalar_one()
        if len(ids) >= count or time.monotonic() > deadline:
            await database.close()
            return ids, int(counted)
        await asyncio.sleep(0.5)
