"""The limit over a million simulated requests: `PHYTOFLOW_LIMIT_REQUESTS` says how many."""

from __future__ import annotations

import os

import pytest

from tests.serving.gateway.limits.test_limiter import simulate
from tests.support.services.databases import RunningServer

REQUESTS = int(os.environ.get("PHYTOFLOW_LIMIT_REQUESTS", "1000000"))


@pytest.mark.timeout(7200)
async def test_never_more_than_the_limit_and_never_a_refusal_below(
    redis: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred users over three replicas; every answer is what a count over the last minute says."""
    await simulate(redis, monkeypatch, requests=REQUESTS, users=100)
