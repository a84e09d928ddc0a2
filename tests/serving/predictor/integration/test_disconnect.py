"""BatchTask whose client has gone is not done, whichever protocol it came by."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from phytoflow.client.grpc_client import AsyncGrpcClient
from phytoflow.client.rest_codec import encode
from phytoflow.errors import ServingError
from tests.support.make_bundle import encode as encode_picture
from tests.support.services.servers import Server, start

# Large enough that a request takes longer than its client waits.
PHOTOS = [
    encode_picture(np.tile(np.arange(2000, dtype=np.uint8), (1500, 1))[..., None].repeat(3, -1), "PNG")
] * 8
REQUESTS = 8


@pytest.fixture(scope="module")
def roomy(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A predictor with one worker and room for all requests at once."""
    server = start(bundle, tmp_path_factory.mktemp("gone") / "log", inference_threads=1, max_queue_size=2000)
    yield server
    server.process.terminate()
    assert server.process.wait(60) == 0


def metric(server: Server, name: str) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=30).text
    return float(re.findall(rf"^{name} (\S+)$", text, re.M)[0])


async def rest(server: Server, seconds: float) -> None:
    body, headers = encode(PHOTOS, None)
    async with httpx.AsyncClient(timeout=seconds) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(f"{server.model}/infer", content=body, headers=headers)


async def grpc(server: Server, seconds: float) -> None:
    async with AsyncGrpcClient(server.grpc, timeout=seconds, retries=0) as client:
        with pytest.raises(ServingError):
            await client.predict(PHOTOS)


@pytest.mark.parametrize("ask", [rest, grpc], ids=["rest", "grpc"])
async def test_the_queue_of_clients_that_left_is_dropped(
    roomy: Server, ask: Callable[[Server, float], Awaitable[None]]
) -> None:
    before = await asyncio.to_thread(metric, roomy, "prediction_batch_size_sum")
    held = [asyncio.create_task(_answered(roomy)) for _ in range(REQUESTS)]
    await asyncio.sleep(0.05)
    await asyncio.gather(*(ask(roomy, 0.1) for _ in range(REQUESTS)))
    await asyncio.gather(*held)
    while await asyncio.to_thread(metric, roomy, "prediction_queue_depth"):
        await asyncio.sleep(0.05)
    run = await asyncio.to_thread(metric, roomy, "prediction_batch_size_sum") - before
    assert run >= REQUESTS * len(PHOTOS)  # who waited was answered
    assert run < 1.5 * REQUESTS * len(PHOTOS)  # who left was not, except for what the workers had begun
    assert await asyncio.to_thread(metric, roomy, "active_prediction_requests") == 0


async def _answered(server: Server) -> None:
    body, headers = encode(PHOTOS, None)
    async with httpx.AsyncClient(timeout=60) as http:
        assert (await http.post(f"{server.model}/infer", content=body, headers=headers)).status_code == 200
