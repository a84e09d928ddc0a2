"""Collects the body of a request within the limits on bytes."""

from __future__ import annotations

from serving.predictor.errors import RequestError, too_large
from serving.predictor.transport.byte_budget import ByteBudget


class RequestBody:
    """The bytes of one request as they arrive.

    Args:
        budget: Bytes of all requests in progress.
        limit: Maximum bytes of this request.
        option: Command-line option that sets the limit, for the message; empty: none does.
    """

    def __init__(self, budget: ByteBudget, limit: int, option: str = "") -> None:
        self._budget, self._limit, self._option = budget, limit, option
        self._chunks: list[bytes] = []
        self._size = 0

    def check_announced(self, length: str) -> None:
        """Refuses a body before it is read if it is announced as too large.

        Args:
            length: Header ``Content-Length``; empty if there is none.

        Raises:
            RequestError: 413.
        """
        if length.isdigit() and int(length) > self._limit:
            raise self._too_large(f"{length} bytes")

    def receive(self, chunk: bytes) -> None:
        """Stores a chunk.

        Raises:
            RequestError: 413 if the request exceeds its limit, 503 if all requests together exceed theirs.
        """
        if self._size + len(chunk) > self._limit:
            raise self._too_large(f"more than {self._limit} bytes")
        self._budget.acquire(len(chunk))
        self._size += len(chunk)
        self._chunks.append(chunk)

    def join(self) -> bytes:
        """Returns the body received so far."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def release(self) -> None:
        """Drops the body and returns its bytes to the budget."""
        if self._size:
            self._budget.release(self._size)
            self._size, self._chunks = 0, []

    def _too_large(self, what: str) -> RequestError:
        option = f" ({self._option})" if self._option else ""
        return too_large(f"{what}; this request may have {self._limit}{option}")
