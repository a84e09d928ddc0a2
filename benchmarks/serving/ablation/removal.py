"""Takes pieces of the predictor away: each is replaced by a null policy in the module that makes it.

Only the process that serves imports this, before it begins to serve.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from phytoflow.inference.runtimes import openvino
from serving.predictor.batching import batch_sizing, cpu_affinity, linger, queue, worker_pool
from serving.predictor.batching.batch_sizing import BatchQuota
from serving.predictor.transport.rest import http_protocol


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
    def take_all(quota: BatchQuota, queued: int, begun: int, workers: int, batch: int) -> int:
        return batch_sizing.whole_batches(min(quota.photos, queued), batch)

    queue.desynchronise = take_all


def _remove_quota() -> None:
    queue.batch_quota = lambda photos, workers, batch: BatchQuota(batch, covers_all=False)


def _remove_pinning() -> None:
    worker_pool.CpuAffinity = _Unpinned  # type: ignore[misc]


def _remove_waking() -> None:
    worker_pool.CpuAffinity = _WakingAnywhere  # type: ignore[misc]


def _remove_fast_path() -> None:
    http_protocol.find_mismatch = lambda: "taken away by the benchmark"
    http_protocol.PLAIN = "httptools"


def _remove_model_a_worker() -> None:
    openvino._MOST_MODELS = 1


REMOVALS: dict[str, Callable[[], None]] = {
    "linger": _remove_linger,
    "desynchronise": _remove_desynchronisation,
    "quota": _remove_quota,
    "pinning": _remove_pinning,
    "waking": _remove_waking,
    "fast_path": _remove_fast_path,
    "models": _remove_model_a_worker,
}
