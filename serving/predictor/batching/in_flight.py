"""Accounts for the batches that workers are running."""

from __future__ import annotations

from collections import deque
from time import perf_counter

_RECENT = 0.25  # of the time that the last batch took
_MAX_RECENT_SECONDS = 0.05  # after a photo that took long, others should not wait long


class InFlight:
    """Batches in progress; not thread-safe.

    Args:
        workers: Number of workers.

    Attributes:
        workers: Number of workers that are running a batch.
        photos: Number of photos in these batches.
        recent_seconds: A time that is short compared with that of a batch; 0 before the first one ends.
    """

    def __init__(self, workers: int) -> None:
        self.workers = self.photos = 0
        self.recent_seconds = 0.0
        self._begun: deque[tuple[float, int]] = deque(maxlen=max(workers - 1, 1))

    @property
    def recently_begun(self) -> int:
        """Number of photos in batches that other workers began within ``recent_seconds``."""
        since = perf_counter() - self.recent_seconds
        return sum(photos for at, photos in self._begun if at > since)

    def begin(self, photos: int) -> float:
        """Counts a batch; returns the time by ``time.perf_counter``."""
        self.workers += 1
        self.photos += photos
        self._begun.append((now := perf_counter(), photos))
        return now

    def end(self, photos: int, begun: float) -> None:
        """Removes a batch that ``begin`` counted."""
        self.workers -= 1
        self.photos -= photos
        self.recent_seconds = min(_RECENT * (perf_counter() - begun), _MAX_RECENT_SECONDS)
