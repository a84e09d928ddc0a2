"""What the routes do about clients that leave."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response

from serving.predictor.rest import _unless_gone


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

    response = await _unless_gone(request(after=0.01), work())
    assert response.status_code == 499
    await asyncio.wait_for(ended.wait(), 1)


async def test_a_client_that_waits_gets_its_answer() -> None:
    async def work() -> Response:
        await asyncio.sleep(0.01)
        return Response(status_code=200)

    assert (await _unless_gone(request(after=10), work())).status_code == 200
