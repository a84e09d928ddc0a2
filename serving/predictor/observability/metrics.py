"""Every metric the predictor exports, defined once; ``docs/reference/metrics.md`` says what each means.

Labels are few: classes and fixed reasons.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Info
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.predictor.errors import RequestError
from serving.predictor.observability.buffered_histogram import LateHistogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

PREDICTIONS = Counter("predictions_total", "Photos answered, by likeliest class.", ["class"])
ERRORS = Counter(
    "prediction_errors_total", "Requests refused or failed, by reason and status class.", ["reason", "code"]
)
DURATION = LateHistogram(
    "prediction_duration_seconds", "A request from its last byte to its answer.", buckets=_FAST
)
INFERENCE = LateHistogram("model_inference_seconds", "One call of the runtime, a batch.", buckets=_FAST)
CONFIDENCE = LateHistogram(
    "prediction_confidence",
    "Probability of the likeliest class, a photo.",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
)
BATCH_SIZE = LateHistogram(
    "prediction_batch_size", "Photos a call of the runtime.", buckets=(1, 2, 4, 8, 16, 32)
)
QUEUE_DEPTH = Gauge("prediction_queue_depth", "Photos waiting.")
QUEUE_SECONDS = LateHistogram(
    "prediction_queue_seconds", "A photo's wait before a lane took it.", buckets=_FAST
)
ACTIVE = Gauge("active_prediction_requests", "Requests being answered.")
CHANGES = Counter("model_version_changes_total", "Versions loaded, rejected, unloaded.", ["outcome"])
METADATA = Info("model_metadata", "Model, version, backbone, runtime, precision.")


def count_error(error: RequestError) -> None:
    """Counts a request that got no answer, by reason and class of its HTTP status (also for gRPC)."""
    ERRORS.labels(error.reason, f"{error.status // 100}xx").inc()


# rate() needs a value before the first failure: a counter that appears with it hides that one.
for _reason in ("internal", "overloaded"):
    ERRORS.labels(_reason, "5xx")


class GpuMemory(Collector):
    """Memory that this process holds on each GPU; nothing where torch is not in use or sees none."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked for at each scrape. Only a runtime that uses torch imports it: this must not."""
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_available():
            return
        family = GaugeMetricFamily("gpu_memory_bytes", "Held by this process on a GPU.", labels=["device"])
        for device in range(torch.cuda.device_count()):
            family.add_metric([str(device)], torch.cuda.memory_reserved(device))
        yield family


REGISTRY.register(GpuMemory())
