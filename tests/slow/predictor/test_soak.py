"""Saturating load for minutes: no failed request, no growth, liveness stays quick.

``PHYTOFLOW_SOAK_MINUTES`` says how long; a release gets fifteen.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from phytoflow.client.grpc_client import AsyncGrpcClient
from phytoflow.client.rest_codec import decode as read_answer
from phytoflow.inference.classifier import Classifier
from tests.slow.predictor.load import Connection, Seen, closed_loop
from tests.support.make_bundle import pictures
from tests.support.services.servers import Server, start

SECONDS = 60 * float(os.environ.get("PHYTOFLOW_SOAK_MINUTES", "1"))
PHOTOS = [photo.content for photo in pictures(4)]
LIVENESS = Path(__file__).with_name("liveness.py")


@pytest.fixture(params=["onnx", "openvino"])
def server(request: pytest.FixtureRequest, bundle: Path, tmp_path: Path) -> Iterator[Server]:
    running = start(bundle, tmp_path / "log", log_level="WARNING", runtime=request.param)
    yield running
    running.process.terminate()
    assert running.process.wait(60) == 0


@pytest.mark.timeout(SECONDS + 200)
async def test_soak(server: Server, bundle: Path) -> None:
    expected = Classifier.load(bundle, "onnx", 1).predict(PHOTOS).probabilities
    watch = subprocess.Popen(
        [sys.executable, LIVENESS, server.url], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )

    def check(body: bytes) -> None:
        found = [answer.probabilities for answer in read_answer(body)]
        np.testing.assert_allclose(found, expected, atol=1e-5)

    warm = min(60.0, SECONDS / 2)
    first = await load(server, warm, check)
    early = resident(server)
    second = await load(server, SECONDS - warm, check)
    late = resident(server)
    watch.terminate()
    report = json.loads(watch.communicate(timeout=30)[0])
    assert first.seconds.keys() == second.seconds.keys() == {200}
    assert second.count(200) > SECONDS - warm
    assert late < early * 1.03, f"{early:.1f} MB after {warm:.0f} s, {late:.1f} MB after {SECONDS:.0f} s"
    assert report["count"] > SECONDS
    assert report["p99"] < 0.1, report


async def load(server: Server, seconds: float, check: object) -> Seen:
    """REST on eight connections and gRPC on two, with answers checked."""
    done = asyncio.Event()

    async def over_grpc() -> None:
        async with AsyncGrpcClient(server.grpc, retries=0) as client:
            while not done.is_set():
                assert len(await client.predict(PHOTOS)) == len(PHOTOS)

    others = [asyncio.create_task(over_grpc()) for _ in range(2)]
    seen = await closed_loop(lambda: Connection(server.url, PHOTOS), 8, seconds, check)  # type: ignore[arg-type]
    done.set()
    await asyncio.gather(*others)
    return seen


def resident(server: Server) -> float:
    """Resident memory of the predictor, MB."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
