"""Limits the bytes of all requests in progress, REST and gRPC together."""

from __future__ import annotations

from serving.predictor.errors import overloaded


class ByteBudget:
    """Bytes that requests in progress may hold; used in the event loop's thread only.

    Args:
        limit: Maximum number of bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    def acquire(self, size: int) -> None:
        """Reserves bytes.

        Raises:
            RequestError: 503 if that would exceed the limit; nothing is then reserved.
        """
        if self._used + size > self._limit:
            raise overloaded("too many bytes are in progress; try again in a second")
        self._used += size

    def release(self, size: int) -> None:
        """Returns reserved bytes."""
        self._used -= size
