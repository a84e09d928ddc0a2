"""A request's body as it comes: what is announced or sent beyond the limits is not kept."""

from __future__ import annotations

from serving.predictor.errors import too_large
from serving.predictor.transport.byte_budget import Budget


class Body:
    """Bytes that are counted.

    Args:
        budget: Bytes in flight, of all requests.
        most: Bytes that this one may have.
    """

    def __init__(self, budget: Budget, most: int) -> None:
        self._budget, self._most = budget, most
        self._chunks: list[bytes] = []
        self._size = 0

    def check_announced(self, length: str) -> None:
        """Refuses what says that it is too large, before it is read.

        Args:
            length: The header ``Content-Length``; empty where there is none.

        Raises:
            RequestError: 413.
        """
        if length.isdigit() and int(length) > self._most:
            raise too_large(f"{length} bytes; one request may have {self._most}")

    def receive(self, chunk: bytes) -> None:
        """Keeps some more of it.

        Raises:
            RequestError: 413, more than it may have; 503, more than is left for all requests.
        """
        if self._size + len(chunk) > self._most:
            raise too_large(f"more than the {self._most} bytes one request may have")
        self._budget.take(len(chunk))
        self._size += len(chunk)
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        """All that came."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def give_back(self) -> None:
        """Lets others have its bytes; once."""
        if self._size:
            self._budget.give_back(self._size)
            self._size, self._chunks = 0, []
