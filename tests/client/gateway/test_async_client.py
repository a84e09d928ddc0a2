"""The client for asyncio against the real gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.client.gateway import AsyncGatewayClient, GatewayError
from phytoflow.errors import ServingError
from tests.support.golden import BUNDLE
from tests.support.services.gateway import RunningGateway

FILE = sorted((BUNDLE / "probes").glob("*.*"))[1]  # another test corrects the first one
CLASSES = {"healthy", "rust", "scab"}


async def test_every_method(gateway: RunningGateway, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(gateway.token("ben") + "\n")
    async with AsyncGatewayClient(gateway.url, token_file=token) as client:
        one = await client.predict(FILE)
        two, three = await client.predict_batch([FILE, FILE], tta="flips")
        task = await client.wait((await client.submit(FILE)).task_id, poll=0.05)
        said = await client.feedback(one.id, "right")
        assert task.result is not None
        await client.prediction(task.result.id)  # waits until it is in the log
        ids = [stored.id async for stored in client.history()]
        assert said.corrected_label == one.prediction == (await client.prediction(one.id)).corrected_label
        assert (ids[0], ids[3:]) == (task.result.id, [one.id])  # newest first
        assert set(ids[1:3]) == {two.id, three.id}  # of one moment, in any order
        assert (await client.quota()).remaining < 100_000 and set(await client.classes()) == CLASSES
        assert await client.photo(one.id)
        with pytest.raises(GatewayError, match="archive"):
            await client.predict(b"PK\x03\x04")


async def test_a_gateway_that_is_not_there() -> None:
    async with AsyncGatewayClient("localhost:1", "t", retries=0) as client:
        with pytest.raises(ServingError, match="cannot be reached"):
            await client.quota()
