"""Every metric the predictor exports, defined once. Labels are few: classes and fixed reasons.

============================  =========  =================================================================
Name                          Kind       Meaning
============================  =========  =================================================================
predictions_total             counter    photos answered, by likeliest class
prediction_errors_total       counter    requests refused or failed, by reason
prediction_duration_seconds   histogram  a request from its last byte to its answer
model_inference_seconds       histogram  one call of the runtime, a batch
prediction_confidence         histogram  probability of the likeliest class, a photo
prediction_batch_size         histogram  photos a call of the runtime
prediction_queue_depth        gauge      photos waiting
prediction_queue_seconds      histogram  a photo's wait before a lane took it
active_prediction_requests    gauge      requests being answered
model_metadata                info       model, version, backbone, runtime, precision
model_version_changes_total   counter    versions loaded, refused or unloaded at run time, by outcome
============================  =========  =================================================================
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, Info

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

PREDICTIONS = Counter("predictions_total", "Photos answered, by likeliest class.", ["class"])
ERRORS = Counter("prediction_errors_total", "Requests refused or failed, by reason.", ["reason"])
DURATION = Histogram(
    "prediction_duration_seconds", "A request from its last byte to its answer.", buckets=_FAST
)
INFERENCE = Histogram("model_inference_seconds", "One call of the runtime, a batch.", buckets=_FAST)
CONFIDENCE = Histogram(
    "prediction_confidence",
    "Probability of the likeliest class, a photo.",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
)
BATCH_SIZE = Histogram("prediction_batch_size", "Photos a call of the runtime.", buckets=(1, 2, 4, 8, 16, 32))
QUEUE_DEPTH = Gauge("prediction_queue_depth", "Photos waiting.")
QUEUE_SECONDS = Histogram("prediction_queue_seconds", "A photo's wait before a lane took it.", buckets=_FAST)
ACTIVE = Gauge("active_prediction_requests", "Requests being answered.")
CHANGES = Counter("model_version_changes_total", "Versions loaded, refused, unloaded.", ["outcome"])
METADATA = Info("model_metadata", "Model, version, backbone, runtime, precision.")
