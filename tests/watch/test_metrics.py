"""Metrics and probes of the watcher over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from phytoflow.system.ports import free_port
from phytoflow.watch.listener import answering
from phytoflow.watch.metrics import build_status


@dataclass
class Moments:
    """The present moment and that of the last look."""

    now: float = 1000.0
    looked: float | None = None


@pytest.fixture
def moments() -> Moments:
    return Moments()


@pytest.fixture
async def client(moments: Moments) -> AsyncIterator[httpx.AsyncClient]:
    address = f"127.0.0.1:{free_port()}"
    status = build_status(lambda: moments.looked, 60, lambda: moments.now)
    async with (
        answering(address, status),
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as http,
    ):
        yield http


async def test_ended_events_are_counted_from_zero(client: httpx.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    for action in ("train", "rollout", "deploy"):
        for state in ("succeeded", "refused", "failed"):
            assert f'watch_events_total{{action="{action}",state="{state}"}}' in text
    assert "watch_events_waiting 0.0" in text


async def test_ready_once_it_looks_and_alive_while_looks_come(
    client: httpx.AsyncClient, moments: Moments
) -> None:
    async def status(path: str) -> int:
        return (await client.get(path)).status_code

    assert (await status("/readyz"), await status("/livez")) == (503, 200)  # it waits for another watcher
    moments.looked = 1000.0
    assert (await status("/readyz"), await status("/livez")) == (200, 200)
    moments.now = 1900.0
    assert await status("/livez") == 200
    moments.now = 1000.0 + 60 + 900  # pause and longest look
    assert await status("/livez") == 503
