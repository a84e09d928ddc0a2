"""Adaptive linger: waiting briefly for clients that send their next request after each response.

A worker that has delivered its results waits for such closed-loop clients, so that it can run a larger batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

_MAX_MISSES = 6  # in a row that count


class LingerPolicy:
    """Waits for closed-loop clients and learns whether they come; its methods need the lock to be held.

    The first miss may be chance. After the second in a row the next two times are skipped, then six, 14, 30
    and at most 62.

    Args:
        lock: Released while waiting.
        queued: Counts queued photos.
        worthwhile: Whether waiting still makes sense.
    """

    def __init__(
        self, lock: threading.Lock, queued: Callable[[], int], worthwhile: Callable[[], bool]
    ) -> None:
        self._changed = threading.Condition(lock)
        self._queued, self._worthwhile = queued, worthwhile
        self._wanted: list[int] = []  # photos that each waiting worker wants
        self._misses = 0
        self._skips = 0

    def should_linger(self) -> bool:
        """Whether to wait this time."""
        if self._skips:
            self._skips -= 1
            return False
        return True

    def linger(self, photos: int, seconds: float) -> None:
        """Waits until so many photos are queued, the time is over, or waiting makes no sense any more."""
        self._wanted.append(photos)
        self._changed.wait_for(lambda: self._queued() >= photos or not self._worthwhile(), seconds)
        self._wanted.remove(photos)
        if (came := self._queued() >= photos) or self._worthwhile():
            self.record(came)

    def notify(self) -> None:
        """Wakes waiting workers if a change matters to them."""
        if self._wanted and (self._queued() >= min(self._wanted) or not self._worthwhile()):
            self._changed.notify_all()

    def record(self, came: bool) -> None:
        """Records whether enough photos came in time."""
        self._misses = 0 if came else min(self._misses + 1, _MAX_MISSES)
        self._skips = 2**self._misses - 2 if self._misses else 0
