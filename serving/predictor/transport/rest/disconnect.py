"""Cancels a request through FastAPI when its client disconnects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from serving.predictor.errors import client_disconnected
from serving.predictor.observability.metrics import count_error

_WATCH_AFTER_SECONDS = 0.05  # watching needs a task; most requests are answered before it is worth one


async def cancel_on_disconnect(request: Request, work: Awaitable[Response]) -> Response:
    """Awaits the work, and cancels it when the client disconnects."""
    task = asyncio.current_task()
    assert task is not None
    watcher = DisconnectWatcher(request, task)
    try:
        return await work
    except asyncio.CancelledError:
        if not watcher.disconnected:
            raise  # the server is shutting down
        task.uncancel()
        count_error(error := client_disconnected())
        return Response(status_code=error.status)
    finally:
        watcher.stop()


class DisconnectWatcher:
    """Cancels a request's own task when the client disconnects; a second task for the work would cost more.

    Args:
        request: Is watched.
        task: Is cancelled.

    Attributes:
        disconnected: Whether the client has disconnected.
    """

    def __init__(self, request: Request, task: asyncio.Task[object]) -> None:
        self.disconnected = False
        self._request, self._task = request, task
        self._message: asyncio.Future[Message] | None = None
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_SECONDS, self._watch)

    def stop(self) -> None:
        """Ends the watch."""
        self._timer.cancel()
        if self._message is not None:
            self._message.remove_done_callback(self._cancel)
            self._message.cancel()

    def _watch(self) -> None:
        # The body has been read: the next message can only be the disconnect.
        self._message = asyncio.ensure_future(self._request.receive())
        self._message.add_done_callback(self._cancel)

    def _cancel(self, message: asyncio.Future[Message]) -> None:
        if not message.cancelled():
            self.disconnected = True
            self._task.cancel()
