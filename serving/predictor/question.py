"""A V2 question on its connection: its bytes as they come, and what uvicorn wants to know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from serving.predictor.budget import Budget
from serving.predictor.errors import too_large
from serving.predictor.metrics import ERRORS


class Question:
    """What stands where uvicorn keeps its request-response cycle, whose attributes it has.

    Args:
        headers: As they came, names in lower case.
        budget: Bytes in flight.
        most: Bytes that it may have.
        keep_alive: Whether the connection goes on after it.

    Attributes:
        keep_alive: uvicorn takes it back where the server ends.
        response_complete: Whether it is answered, or refused.
        task: What answers it, once it is whole.
    """

    def __init__(
        self, headers: list[tuple[bytes, bytes]], budget: Budget, most: int, keep_alive: bool
    ) -> None:
        self._raw, self._budget, self._most = headers, budget, most
        self._chunks: list[bytes] = []
        self._size, self._disconnected = 0, False
        self.keep_alive, self.response_complete = keep_alive, False
        self.task: asyncio.Task[None] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._raw}

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
            self.give_back()
            self.count_as_gone()

    def check_announced(self) -> None:
        """Refuses what says that it is too large, before it is read; RequestError 413."""
        announced = next((value for name, value in self._raw if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > self._most:
            raise too_large(f"{announced.decode()} bytes; one request may have {self._most}")

    def receive(self, chunk: bytes) -> None:
        """Some of the body, counted as it comes.

        Raises:
            RequestError: 413, more than it may have; 503, more than is left for all requests.
        """
        if self._size + len(chunk) > self._most:
            raise too_large(f"more than the {self._most} bytes one request may have")
        self._budget.take(len(chunk))
        self._size += len(chunk)
        self._chunks.append(chunk)

    def body(self) -> bytes:
        """All that came."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def give_back(self) -> None:
        """Lets others have its bytes; once."""
        self._budget.give_back(self._size)
        self._size, self._chunks = 0, []

    def count_as_gone(self) -> None:
        """Nobody reads its answer."""
        ERRORS.labels("client gone").inc()
