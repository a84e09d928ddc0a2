"""All metrics of the predictor; ``docs/reference/metrics.md`` explains them.

Label values are few: classes, reasons from a fixed set, and status classes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Info
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.predictor.errors import RequestError

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

PREDICTIONS = Counter("predictions_total", "Photos classified, by likeliest class.", ["class"])
ERRORS = Counter(
    "prediction_errors_total", "Requests refused or failed, by reason and status class.", ["reason", "code"]
)
DURATION = Histogram(
    "prediction_duration_seconds", "Time from the last byte of a request to its response.", buckets=_SECONDS
)
INFERENCE = Histogram(
    "model_inference_seconds", "Time of one call of the runtime, for one batch.", buckets=_SECONDS
)
CONFIDENCE = Histogram(
    "prediction_confidence",
    "Probability of the likeliest class of each photo.",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
)
BATCH_SIZE = Histogram(
    "prediction_batch_size", "Photos in one call of the runtime.", buckets=(1, 2, 4, 8, 16, 32)
)
QUEUE_DEPTH = Gauge("prediction_queue_depth", "Photos in the queue.")
QUEUE_SECONDS = Histogram("prediction_queue_seconds", "Time of a photo in the queue.", buckets=_SECONDS)
ACTIVE = Gauge("active_prediction_requests", "Requests in progress.")
CHANGES = Counter("model_version_changes_total", "Versions loaded, rejected or unloaded.", ["outcome"])
CREATED = Gauge("model_created_timestamp_seconds", "When the model that answers was exported; 0: unknown.")
LOG_SENT = Counter("prediction_log_sent_total", "Predictions that the gateway's log has taken.")
LOG_DROPPED = Counter(
    "prediction_log_dropped_total", "Predictions that did not reach the gateway's log.", ["reason"]
)
METADATA = Info("model_metadata", "Model, version, backbone, runtime and precision.")


def count_error(error: RequestError) -> None:
    """Counts a request that got no answer, by reason and class of its HTTP status (also for gRPC)."""
    ERRORS.labels(error.reason, f"{error.status // 100}xx").inc()


# rate() needs a value before the first failure: a counter that appears with it hides that one.
for _reason in ("internal", "overloaded"):
    ERRORS.labels(_reason, "5xx")
for _outcome in ("loaded", "rejected", "unloaded"):
    CHANGES.labels(_outcome)
for _reason in ("full", "refused", "stopped"):
    LOG_DROPPED.labels(_reason)


class GpuMemory(Collector):
    """Memory that this process holds on each GPU; no metric without torch or without a GPU."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yields the metric at a scrape."""
        torch = sys.modules.get("torch")  # not imported here: only the TorchScript runtime pays for it
        if torch is None or not torch.cuda.is_available():
            return
        family = GaugeMetricFamily(
            "gpu_memory_bytes", "Memory that this process holds on a GPU.", labels=["device"]
        )
        for device in range(torch.cuda.device_count()):
            family.add_metric([str(device)], torch.cuda.memory_reserved(device))
        yield family


REGISTRY.register(GpuMemory())
