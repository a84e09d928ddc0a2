"""Bounded memory for predictions on their way to the log."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from serving.predictor.observability.metrics import LOG_DROPPED
from serving.predictor.prediction_log.record import AnsweredRequest

_MAX_WAITING_PHOTOS = 10_000  # answered photos that were not encoded yet; less than a second's work
_MAX_PHOTO_BYTES = 32 * 2**20  # of their files, which are kept only to be hashed
_MAX_LINE_BYTES = 16 * 2**20  # of encoded predictions while the gateway is away


class Inbox:
    """Requests that the event loop hands over; adding one never blocks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[AnsweredRequest] = []
        self._photos = self._bytes = 0

    def add(self, request: AnsweredRequest) -> None:
        """Takes a request; without its photos, or not at all, once too much is waiting."""
        size = request.photo_bytes
        with self._lock:
            if self._photos + request.photo_count > _MAX_WAITING_PHOTOS:
                LOG_DROPPED.labels("full").inc(request.photo_count)
                return
            if self._bytes + size > _MAX_PHOTO_BYTES:
                request, size = request._replace(photos=()), 0
            self._requests.append(request)
            self._photos += request.photo_count
            self._bytes += size

    def take(self) -> list[AnsweredRequest]:
        """All requests that are waiting."""
        with self._lock:
            taken, self._requests = self._requests, []
            self._photos = self._bytes = 0
        return taken


class Outbox:
    """Encoded predictions, oldest first; used by one thread."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Number of predictions."""
        return len(self._lines)

    def add(self, line: bytes) -> None:
        """Adds a prediction, or counts it as dropped if there is no room."""
        if self._bytes + len(line) > _MAX_LINE_BYTES:
            LOG_DROPPED.labels("full").inc()
            return
        self._lines.append(line)
        self._bytes += len(line)

    def first(self, count: int) -> Sequence[bytes]:
        """The oldest predictions, at most ``count``; they stay."""
        return [self._lines[i] for i in range(min(count, len(self._lines)))]

    def remove(self, count: int) -> None:
        """Removes the oldest predictions."""
        for _ in range(count):
            self._bytes -= len(self._lines.popleft())
