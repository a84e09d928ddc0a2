"""Rules on the predictor's own metrics. The limits suit a classifier on CPUs."""

from __future__ import annotations

from phytoflow.alerts.rule import Alert, Group, Record

_BY = "sum by (namespace, inferenceservice)"

_RECORDS = (
    Record("phytoflow:requests:rate1m", f"{_BY} (rate(prediction_duration_seconds_count[1m]))"),
    Record(
        "phytoflow:latency_seconds:p99_1m",
        "histogram_quantile(0.99, sum by (namespace, inferenceservice, le) "
        "(rate(prediction_duration_seconds_bucket[1m])))",
    ),
    # Failures of the service itself. A client's broken photos are 4xx.
    Record("phytoflow:errors:rate1m", f'{_BY} (rate(prediction_errors_total{{code="5xx"}}[1m]))'),
    Record(
        "phytoflow:requests_in_progress:sum",
        f"{_BY} (active_prediction_requests + on (namespace, inferenceservice, pod) prediction_queue_depth)",
    ),
    Record("phytoflow:replicas_ready:count", f'{_BY} (up{{inferenceservice!="", ready="true"}})'),
)
_ALERTS = (
    Alert(
        "PhytoflowLatencyHigh",
        "phytoflow:latency_seconds:p99_1m > 1 and phytoflow:requests:rate1m > 0.1",
        "5m",
        "warning",
        "{{ $labels.inferenceservice }}: p99 latency is {{ $value | humanizeDuration }}",
        "Raise deploy.max_replicas, or lower deploy.requests_per_replica.",
    ),
    Alert(
        "PhytoflowErrors",
        "phytoflow:errors:rate1m / (phytoflow:requests:rate1m + phytoflow:errors:rate1m) > 0.02",
        "2m",
        "critical",
        "{{ $labels.inferenceservice }}: {{ $value | humanizePercentage }} of the requests fail",
        'prediction_errors_total{code="5xx"} by reason shows the cause; '
        "`phytoflow rollback` returns to the last good version.",
    ),
    Alert(
        "PhytoflowSaturated",
        "histogram_quantile(0.9, sum by (namespace, inferenceservice, le) "
        "(rate(prediction_queue_seconds_bucket[1m]))) > 0.5",
        "5m",
        "warning",
        "{{ $labels.inferenceservice }}: 10% of the photos wait {{ $value | humanizeDuration }} in the queue",
        "The number of replicas is at its maximum, or replicas are not added in time.",
    ),
    Alert(
        "PhytoflowRefusing",
        f'{_BY} (rate(prediction_errors_total{{reason="overloaded"}}[1m])) > 0',
        "1m",
        "critical",
        "{{ $labels.inferenceservice }}: requests are refused because the queue is full",
        "Raise deploy.max_replicas.",
    ),
    # A service that was deleted on purpose alerts too, for 15 minutes. A candidate of a publish never does.
    Alert(
        "PhytoflowNoReadyReplica",
        "count by (namespace, inferenceservice) "
        '(max_over_time(up{inferenceservice!="", inferenceservice!~".*-candidate"}[15m])) '
        "unless on (namespace, inferenceservice) phytoflow:replicas_ready:count > 0",
        "1m",
        "critical",
        "{{ $labels.inferenceservice }}: no replica is ready",
        "`phytoflow status {{ $labels.inferenceservice }}` shows the cause.",
    ),
)
GROUP = Group("phytoflow-predictors", (*_RECORDS, *_ALERTS))
