"""Those who are answered, and perhaps ask again at once, as clients do that work through many photos."""

from __future__ import annotations

import threading
from collections.abc import Callable

_MOST = 6  # misses in a row that count


class Askers:
    """Waits for them, and learns from what came of it; called with the lock held.

    The first time that they do not come in time may be chance. After the second in a row they are not waited
    for two times, after the next six, then 14, 30, and 62 at most.

    Args:
        lock: Given up while they are waited for.
        waiting: Counts the photos that are there.
        busy: Whether it is still worth waiting.
    """

    def __init__(self, lock: threading.Lock, waiting: Callable[[], int], busy: Callable[[], bool]) -> None:
        self._changed = threading.Condition(lock)
        self._waiting, self._busy = waiting, busy
        self._wanted: list[int] = []  # photos, by who waits for them
        self._missed = 0
        self._left = 0  # times not to wait

    def expected(self) -> bool:
        """Whether to wait for them this time."""
        if self._left:
            self._left -= 1
            return False
        return True

    def wait_for(self, photos: int, seconds: float) -> None:
        """Until so many wait, it is too late, or no longer worth it."""
        self._wanted.append(photos)
        self._changed.wait_for(lambda: self._waiting() >= photos or not self._busy(), seconds)
        self._wanted.remove(photos)
        if (came := self._waiting() >= photos) or self._busy():
            self.learn(came)

    def tell(self) -> None:
        """Something has changed: wakes those who wait, if it matters to them."""
        if self._wanted and (self._waiting() >= min(self._wanted) or not self._busy()):
            self._changed.notify_all()

    def learn(self, came: bool) -> None:
        """Notes whether enough of them came in time."""
        self._missed = 0 if came else min(self._missed + 1, _MOST)
        self._left = 2**self._missed - 2 if self._missed else 0
