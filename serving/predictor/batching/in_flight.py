"""What the lanes are at: how many of them, how many photos, and who has only just begun."""

from __future__ import annotations

from collections import deque
from time import perf_counter

_SOON = 0.25  # of the time that a share takes
_LONGEST = 0.05  # seconds; after a photo that took long, others should not wait long


class UnderWay:
    """Shares that are run; not safe for threads.

    Args:
        lanes: How many lanes there are.

    Attributes:
        lanes: That are busy.
        photos: That they have taken.
        soon: Seconds that are short beside the time a share takes; 0 before the first.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = self.photos = 0
        self.soon = 0.0
        self._begun: deque[tuple[float, int]] = deque(maxlen=max(lanes - 1, 1))

    @property
    def begun(self) -> int:
        """Photos of the shares that were taken just now."""
        since = perf_counter() - self.soon
        return sum(photos for at, photos in self._begun if at > since)

    def begin(self, photos: int) -> float:
        """A lane has taken some; the time, by ``time.perf_counter``."""
        self.lanes += 1
        self.photos += photos
        self._begun.append((now := perf_counter(), photos))
        return now

    def end(self, photos: int, since: float) -> None:
        """A lane has run what it took."""
        self.lanes -= 1
        self.photos -= photos
        self.soon = min(_SOON * (perf_counter() - since), _LONGEST)
