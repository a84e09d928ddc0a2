"""An application at an address, for the length of a block."""

from __future__ import annotations

import httpx
import pytest
from aiohttp import web

from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port
from phytoflow.watch.listener import answering


@pytest.mark.parametrize(
    ("host", "asked"),
    [("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]"), ("[::]", "127.0.0.1"), ("[::]", "[::1]")],
)
async def test_it_answers_until_the_block_ends(host: str, asked: str) -> None:
    port = free_port()
    address = f"{host}:{port}"

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    async with httpx.AsyncClient(base_url=f"http://{asked}:{port}", trust_env=False) as http:
        async with answering(address, application):
            assert (await http.get("/")).text == "hello"
            with pytest.raises(ServingError, match=f"cannot listen on .*:{port}: .*in use"):
                async with answering(address, web.Application()):
                    pass
        with pytest.raises(httpx.ConnectError):
            await http.get("/")
