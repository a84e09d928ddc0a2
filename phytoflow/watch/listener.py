"""Answers HTTP at an address, in the event loop of the watcher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from phytoflow.errors import ServingError


@asynccontextmanager
async def answering(address: str, application: web.Application) -> AsyncIterator[None]:
    """Serves an application for the length of the block.

    Args:
        address: HOST:PORT; ``[::]`` stands for all interfaces, of IPv4 too.
        application: What is served.

    Raises:
        ServingError: The address is taken, or none of this machine.
    """
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        host, _, port = address.rpartition(":")
        everywhere = host == "[::]"  # asyncio opens sockets of both kinds for no host, and one of IPv6 for ::
        try:
            await web.TCPSite(runner, None if everywhere else host.strip("[]"), int(port)).start()
        except OSError as error:
            what = f"cannot listen on {address}: {error.strerror or error}"
            raise ServingError(what, remedy="choose another address, or end what listens there") from error
        yield
    finally:
        await runner.cleanup()
