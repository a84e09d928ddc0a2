"""A histogram that is counted when it is looked at.

``Histogram.observe`` walks its buckets, each a number behind a lock of its own: between two photos, whose
network has emptied the caches, that costs ten times what it does in a loop. Here it appends to a list, and
the buckets are walked at a scrape, or once the list has grown long, one after the other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from prometheus_client import Histogram
from prometheus_client.metrics_core import Metric

_MOST = 4096


class LateHistogram(Histogram):
    """``prometheus_client.Histogram`` without labels; ``observe`` may be called from any thread."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._seen: deque[float] = deque()
        self._counting = threading.Lock()
        super().__init__(*arguments, **options)

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Notes a value; exemplars are not kept."""
        self._seen.append(amount)
        if len(self._seen) > _MOST:
            self._count()

    def collect(self) -> Iterable[Metric]:
        """All values noted so far."""
        self._count()
        return super().collect()

    def _count(self) -> None:
        with self._counting:  # or a scrape could look while another thread counts
            for _ in range(len(self._seen)):
                super().observe(self._seen.popleft())
