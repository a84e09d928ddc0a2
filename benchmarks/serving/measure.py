"""One server at one concurrency: a window, every answer checked."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psutil
from numpy.typing import NDArray
from pydantic import BaseModel

from benchmarks.serving import load
from benchmarks.serving.registry import Peer
from benchmarks.serving.servers import Server

TOLERANCE = 1e-3
QUIET = 0.04
_WARM_SECONDS = 1.0
_LEAD_SECONDS = 0.5  # see load.run


class Row(BaseModel):
    """One window, or medians over several.

    Attributes:
        concurrency: Clients.
        rate: Photos a second.
        p50, p99: Milliseconds.
        cpu_ms: Milliseconds of CPU the server spent on a photo.
        megabytes: Its memory.
        others: Share of the machine that neither server nor clients took, in the busiest window.
        wrong: Answers that were not the offline probabilities, or none.
    """

    concurrency: int
    rate: float
    p50: float
    p99: float
    cpu_ms: float
    megabytes: float
    others: float
    wrong: int


@dataclass(frozen=True)
class Asking:
    """What every server is asked, and for how long.

    Attributes:
        contents: Photos.
        expected: Offline probabilities, float32 [N, C].
        seconds: Of a window.
        patience: Most windows repeated while something else uses the machine.
        tolerance: How far a probability may be off.
    """

    contents: Sequence[bytes]
    expected: NDArray[np.float32]
    seconds: float
    patience: int
    tolerance: float = TOLERANCE

    def first(self, peer: Peer, server: Server) -> float:
        """Seconds from the start of a server that has just become ready to its first answer."""
        load.run(server.port, [peer.request(self.contents[0])], 1, 0.0)
        return time.monotonic() - server.started

    def measured(self, peer: Peer, server: Server, concurrency: int) -> Row:
        """One window, the least disturbed of those it took."""
        requests = [peer.request(content) for content in self.contents]
        load.run(server.port, requests, concurrency, _WARM_SECONDS)
        windows: list[Row] = []
        while not windows or (windows[-1].others >= QUIET and len(windows) <= self.patience):
            windows.append(self._window(peer, server, requests, concurrency))
        kept = min(windows, key=lambda window: window.others)
        return kept.model_copy(update={"wrong": sum(window.wrong for window in windows)})

    def _window(self, peer: Peer, server: Server, requests: Sequence[bytes], concurrency: int) -> Row:
        gc.collect()  # here, so that it need not come while the clock runs
        start, busy, cpu, own = time.perf_counter(), _busy(), server.cpu_seconds(), time.process_time()
        window = load.run(server.port, requests, concurrency, self.seconds, _LEAD_SECONDS)
        busy, cpu, own = _busy() - busy, server.cpu_seconds() - cpu, time.process_time() - own
        available = (time.perf_counter() - start) * (psutil.cpu_count() or 1)
        latencies = np.array(window.latencies or [float("inf")]) * 1000
        p50, p99 = np.percentile(latencies, (50, 99))
        wrong = (self._wrong(peer, *answer) for answer in window.answers)
        return Row(
            concurrency=concurrency,
            rate=len(window.latencies) / self.seconds,
            p50=float(p50),
            p99=float(p99),
            cpu_ms=cpu / max(1, len(window.answers)) * 1000,
            megabytes=server.megabytes(),
            others=max(0.0, busy - cpu - own) / available,
            wrong=window.broken + sum(wrong),
        )

    def _wrong(self, peer: Peer, index: int, status: bytes, body: bytes) -> bool:
        if not status.startswith(b"HTTP/1.1 200"):
            return True
        try:
            found = peer.probabilities(body)
        except (ValueError, KeyError, TypeError, StopIteration):
            return True
        right = self.expected[index]
        return found.shape != right.shape or not np.abs(found - right).max() <= self.tolerance


def median(rows: Sequence[Row]) -> Row:
    """Of one server at one concurrency, over rounds."""
    middle = {
        key: statistics.median(getattr(row, key) for row in rows)
        for key in ("rate", "p50", "p99", "cpu_ms", "megabytes")
    }
    others, wrong = max(row.others for row in rows), sum(row.wrong for row in rows)
    return Row(concurrency=rows[0].concurrency, others=others, wrong=wrong, **middle)


def _busy() -> float:
    """Seconds of CPU that the machine has spent on anything."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
