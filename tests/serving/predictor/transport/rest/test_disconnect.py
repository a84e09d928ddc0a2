"""The watch over a client, without a server."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import Request, Response

from serving.predictor.transport.rest.disconnect import cancel_on_disconnect


def request(after: float) -> Request:
    """A request whose client leaves after some seconds."""

    async def receive() -> dict[str, str]:
        await asyncio.sleep(after)
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_the_work_of_a_client_that_left_is_given_up() -> None:
    ended = asyncio.Event()

    async def work() -> Response:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            ended.set()
            raise
        return Response()

    response = await cancel_on_disconnect(request(after=0.01), work())
    assert response.status_code == 499
    await asyncio.wait_for(ended.wait(), 1)


@pytest.mark.parametrize("seconds", [0.01, 0.2])  # before and after the client is looked for
async def test_a_client_that_waits_gets_its_answer(seconds: float) -> None:
    async def work() -> Response:
        await asyncio.sleep(seconds)
        return Response(status_code=200)

    others = asyncio.all_tasks()
    assert (await cancel_on_disconnect(request(after=10), work())).status_code == 200
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == others  # nobody goes on waiting for the client


async def test_an_end_of_the_server_is_not_the_clients() -> None:
    async def answer() -> Response:
        async def work() -> Response:
            await asyncio.sleep(10)
            return Response()

        return await cancel_on_disconnect(request(after=10), work())

    task = asyncio.create_task(answer())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
