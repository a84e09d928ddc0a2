"""Work whose client has left is not done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from serving.predictor.errors import client_disconnected
from serving.predictor.observability.metrics import count_error

_PATIENCE_SECONDS = 0.05  # to look for a client takes a task; most are answered before it is worth one


async def unless_gone(request: Request, work: Awaitable[Response]) -> Response:
    """Gives up on the work when its client leaves."""
    task = asyncio.current_task()
    assert task is not None
    watch = _Watch(request, task)
    try:
        return await work
    except asyncio.CancelledError:
        if not watch.gone:
            raise  # the server is ending
        task.uncancel()
        count_error(error := client_disconnected())
        return Response(status_code=error.status)
    finally:
        watch.end()


class _Watch:
    """Cancels a request's own task once the client has left; one for the work too would cost as much."""

    def __init__(self, request: Request, task: asyncio.Task[object]) -> None:
        self.gone = False
        self._request, self._task = request, task
        self._leaving: asyncio.Future[Message] | None = None
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._begin)

    def end(self) -> None:
        """The work is done."""
        self._timer.cancel()
        if self._leaving is not None:
            self._leaving.remove_done_callback(self._left)
            self._leaving.cancel()

    def _begin(self) -> None:
        leaving = self._leaving = asyncio.ensure_future(self._request.receive())
        leaving.add_done_callback(self._left)

    def _left(self, leaving: asyncio.Future[Message]) -> None:
        if not leaving.cancelled():
            self.gone = True
            self._task.cancel()
