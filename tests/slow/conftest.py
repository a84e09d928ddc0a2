"""Load comes from the machine that serves: it must cost little."""

import asyncio

import pytest
import uvloop


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """pytest-asyncio's hook for another loop."""
    return uvloop.EventLoopPolicy()
