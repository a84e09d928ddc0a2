"""The pieces that can be taken away, each by a null policy in its place.

Names are looked up when a pool, a queue or a runtime is made, so a policy is replaced in the module that makes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from prometheus_client import Histogram

from phytoflow.inference.runtimes import openvino
from serving.predictor.batching import batch_sizing, cpu_affinity, linger, queue, worker_pool
from serving.predictor.batching.batch_sizing import BatchQuota
from serving.predictor.observability import buffered_histogram
from serving.predictor.transport.rest import http_protocol


class Piece(NamedTuple):
    """A piece of the scheduling.

    Attributes:
        text: What it does.
        remove: Takes it away, in a process that has not begun to serve.
    """

    text: str
    remove: Callable[[], None]


class _NoLinger(linger.LingerPolicy):
    def should_linger(self) -> bool:
        return False


class _Unpinned(cpu_affinity.CpuAffinity):
    def pin(self, pinned: bool) -> None:
        pass


class _WakingAnywhere(cpu_affinity.CpuAffinity):
    @contextlib.contextmanager
    def waking_here(self, thread: int) -> Iterator[None]:
        yield


def _remove_linger() -> None:
    queue.LingerPolicy = _NoLinger  # type: ignore[misc]


def _remove_desynchronisation() -> None:
    queue.desynchronise = lambda quota, queued, *_: batch_sizing.whole_batches(min(quota.photos, queued), _[-1])


def _remove_quota() -> None:
    queue.batch_quota = lambda photos, workers, batch: BatchQuota(batch, covers_all=False)


def _remove_pinning() -> None:
    worker_pool.CpuAffinity = _Unpinned  # type: ignore[misc]


def _remove_waking() -> None:
    worker_pool.CpuAffinity = _WakingAnywhere  # type: ignore[misc]


def _remove_scheduling_class() -> None:
    cpu_affinity.set_batch_class = lambda: None


def _remove_delayed_delivery() -> None:
    worker_pool._MAX_DELAYING_BYTES = -1


def _remove_buffering() -> None:
    buffered_histogram.BufferedHistogram.observe = Histogram.observe  # type: ignore[method-assign]


def _remove_fast_path() -> None:
    http_protocol.find_mismatch = lambda: "taken away by the benchmark"
    http_protocol.PLAIN = "httptools"


def _remove_model_a_worker() -> None:
    openvino._MOST_MODELS = 1


PIECES = {
    "linger": Piece("waiting for closed-loop clients", _remove_linger),
    "desynchronise": Piece("desynchronised quotas", _remove_desynchronisation),
    "quota": Piece("a quota of all photos, not one batch", _remove_quota),
    "pinning": Piece("pinning saturated workers to CPUs", _remove_pinning),
    "waking": Piece("waking the event loop on the worker's CPU", _remove_waking),
    "class": Piece("SCHED_BATCH for workers", _remove_scheduling_class),
    "delivery": Piece("delivering results after the next batch is prepared", _remove_delayed_delivery),
    "histogram": Piece("histograms counted at scrape", _remove_buffering),
    "fast_path": Piece("infer requests past ASGI", _remove_fast_path),
    "models": Piece("OpenVINO: a model for each of two workers", _remove_model_a_worker),
}
