"""Fifty version swaps under load: no request fails, each answer is of one whole version, SIGTERM ends it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from phytoflow.client.grpc_client import AsyncGrpcClient
from phytoflow.client.rest_client import AsyncClient
from phytoflow.inference.classifier import Classifier
from tests.support.make_bundle import make_bundle, pictures
from tests.support.services.servers import Server, start

SWAPS = int(os.environ.get("PHYTOFLOW_TEST_SWAPS", "50"))
CONTENTS = [photo.content for photo in pictures(6)]
MEGABYTE = 2**20
CHANGES = {"model_control_mode": "explicit"}


@pytest.fixture(scope="module")
def root(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree(bundle, folder / "1")
    make_bundle(folder / "2", ("onnx",), seed=1)
    shutil.copytree(bundle, folder / "bad")
    (folder / "bad" / "model.onnx").write_bytes(b"")
    return folder


@pytest.fixture(scope="module", params=["onnx", "openvino"])
def server(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("swap") / "log"
    running = start(
        root / "1", log, bundle_repository=root, model_name="leaf", runtime=request.param, **CHANGES
    )
    yield running
    running.process.terminate()
    assert running.process.wait(60) == 0


async def test_swaps_under_load(server: Server, root: Path) -> None:
    offline = [Classifier.load(root / name, "onnx", 1) for name in ("1", "2")]
    expected = {each.bundle.manifest.version: each.predict(CONTENTS) for each in offline}
    done, seen = asyncio.Event(), set()

    async def ask(client: AsyncClient | AsyncGrpcClient) -> int:
        count = 0
        while not done.is_set():
            answers = await client.predict(CONTENTS)
            (version,) = {answer.model_version for answer in answers}
            found = [answer.probabilities for answer in answers]
            np.testing.assert_allclose(found, expected[version].probabilities, atol=1e-5)
            seen.add(version)
            count += 1
        return count

    async with AsyncClient(server.url, retries=0) as rest, AsyncGrpcClient(server.grpc, retries=0) as rpc:
        load = [asyncio.create_task(ask(client)) for client in (rest, rest, rpc, rpc)]
        early = 0.0
        for swap in range(SWAPS):
            assert await change(server, "21"[swap % 2]) == 200
            if swap % 10 == 3:
                assert await change(server, "bad") == 422
            if swap == 9:
                early = resident(server)
        done.set()
        counts = await asyncio.gather(*load)
    assert min(counts) > 0
    assert seen == set(expected)
    assert_memory(resident(server), early)


def assert_memory(now: float, early: float) -> None:
    """What a version took is given back: a leak of one's 5 MB of weights alone would show forty times."""
    assert now < early + 60, f"{early:.0f} MB after ten swaps, {now:.0f} MB after {SWAPS}"


async def change(server: Server, name: str) -> int:
    async with httpx.AsyncClient(timeout=120) as http:
        url = f"{server.url}/v2/repository/models/leaf/load"
        return (await http.post(url, json={"parameters": {"bundle": name}})).status_code


def resident(server: Server) -> float:
    """Resident memory of the predictor, MB."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
