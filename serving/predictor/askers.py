"""Whether those who are answered ask again at once, as clients do that work through many photos."""

from __future__ import annotations

_MOST = 6  # misses in a row that count


class Askers:
    """Learns from what came of waiting for them; not safe for threads.

    The first time that they do not come in time may be chance. From the second on, twice as often each time
    as before, they are not waited for: two times, six, and 62 at most.
    """

    def __init__(self) -> None:
        self._missed = 0
        self._left = 0  # times not to wait

    def expected(self) -> bool:
        """Whether to wait for them this time."""
        if self._left:
            self._left -= 1
            return False
        return True

    def learn(self, came: bool) -> None:
        """Notes whether enough of them came in time."""
        self._missed = 0 if came else min(self._missed + 1, _MOST)
        self._left = 2**self._missed - 2 if self._missed else 0
