"""A V2 question on its connection: its bytes as they come, and what uvicorn wants to know of it."""

from __future__ import annotations

import asyncio

from serving.predictor.errors import client_disconnected
from serving.predictor.observability.metrics import count_error
from serving.predictor.transport.rest.body import Body


class Question:
    """What stands where uvicorn keeps its request-response cycle, whose attributes it has.

    Args:
        headers: As they came, names in lower case.
        body: Takes its bytes.
        keep_alive: Whether the connection goes on after it.

    Attributes:
        headers: By name in lower case.
        body: Its bytes so far.
        keep_alive: uvicorn takes it back where the server ends.
        response_complete: Whether it is answered, or refused.
        task: What answers it, once it is whole.
    """

    def __init__(self, headers: list[tuple[bytes, bytes]], body: Body, keep_alive: bool) -> None:
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        self._disconnected = False
        self.body, self.keep_alive, self.response_complete = body, keep_alive, False
        self.task: asyncio.Task[None] | None = None

    @property
    def message_event(self) -> Question:
        """Uvicorn sets it when the client leaves, which ``disconnected`` is told already."""
        return self

    def set(self) -> None:
        """See ``message_event``."""

    @property
    def disconnected(self) -> bool:
        """Whether the client has left."""
        return self._disconnected

    @disconnected.setter
    def disconnected(self, gone: bool) -> None:
        """Work whose client has left is not done."""
        self._disconnected = gone
        if self.task is not None:
            self.task.cancel()
        else:
            self.body.give_back()
            self.count_as_gone()

    def count_as_gone(self) -> None:
        """Nobody reads its answer."""
        count_error(client_disconnected())
