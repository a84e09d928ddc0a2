"""Answers HTTP at an address, in the event loop of the watcher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def answering(address: str, application: web.Application) -> AsyncIterator[None]:
    """Serves an application for the length of the block.

    Args:
        address: HOST:PORT; ``[::]`` stands for all interfaces, of IPv4 too.
        application: What is served.

    Raises:
        OSError: The port is taken.
    """
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        host, _, port = address.rpartition(":")
        everywhere = host == "[::]"  # asyncio opens sockets of both kinds for no host, and one of IPv6 for ::
        await web.TCPSite(runner, None if everywhere else host.strip("[]"), int(port)).start()
        yield
    finally:
        await runner.cleanup()
