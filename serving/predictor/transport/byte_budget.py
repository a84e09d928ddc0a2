"""Bytes of requests being answered, REST and gRPC together: what is over the budget is refused at once."""

from __future__ import annotations

from serving.predictor.errors import overloaded


class Budget:
    """A number of bytes that requests share; used in the event loop's thread only.

    Args:
        limit: Most bytes at a time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    def take(self, size: int) -> None:
        """Counts bytes that have come.

        Raises:
            RequestError: 503, that would be too many; none of these is counted.
        """
        if self._taken + size > self._limit:
            raise overloaded("too many bytes are being answered; try again in a second")
        self._taken += size

    def give_back(self, size: int) -> None:
        """Uncounts bytes that were taken."""
        self._taken -= size
