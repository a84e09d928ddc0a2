"""Alerts on the gateway: what it depends on, what it refuses, what it may lose."""

from __future__ import annotations

from phytoflow.alerts.rule import Alert, Group


def _problems(reasons: str) -> str:
    return f'sum by (namespace, reason) (rate(gateway_problems_total{{reason=~"{reasons}"}}[1m])) > 0'


GROUP = Group(
    "phytoflow-gateway",
    (
        # A gateway that was removed on purpose alerts too, for 15 minutes.
        Alert(
            "PhytoflowGatewayDown",
            'count by (namespace) (max_over_time(up{job=~".*gateway.*"}[15m])) '
            'unless on (namespace) sum by (namespace) (up{job=~".*gateway.*"}) > 0',
            "15s",
            "critical",
            "no replica of the gateway answers",
            "`phytoflow stack status`, or `kubectl get pods`, shows whether it runs.",
        ),
        Alert(
            "PhytoflowPredictorUnreachable",
            _problems("predictor_(unreachable|timeout|error)"),
            "15s",
            "critical",
            "requests fail because of the predictor: {{ $labels.reason }}",
            "`/v1/health` and the predictor's log show the cause.",
        ),
        Alert(
            "PhytoflowGatewayRefusing",
            _problems("overloaded|queue_full|predictor_busy"),
            "30s",
            "warning",
            "requests are refused: {{ $labels.reason }}",
            "Add replicas of the predictor, or workers if the queue is full.",
        ),
        Alert(
            "PhytoflowDatabaseAway",
            "min by (namespace) (gateway_database_up) == 0",
            "30s",
            "warning",
            "the database does not answer; predictions wait on disk",
            "Start the database again before `gateway_journal_bytes` reaches log.max_journal_bytes.",
        ),
        Alert(
            "PhytoflowPredictionsLost",
            "sum by (namespace) (increase(gateway_predictions_dropped_total[10m])) > 0",
            "0s",
            "critical",
            "{{ $value | humanize }} predictions were not logged within ten minutes",
            "The disk is full, or the journal reached log.max_journal_bytes while the database was away.",
        ),
        Alert(
            "PhytoflowPhotosNotStored",
            'sum by (namespace, reason) (increase(gateway_photos_not_stored_total{reason!="busy"}[10m])) > 0',
            "0s",
            "warning",
            "{{ $value | humanize }} photos were not stored within ten minutes: {{ $labels.reason }}",
            "The photo store cannot be written: see the gateway's log.",
        ),
        Alert(
            "PhytoflowLimiterDegraded",
            "max by (namespace) (gateway_limiter_degraded) == 1",
            "30s",
            "warning",
            "Redis does not answer; each replica limits its own share",
            "Start Redis again. Until then a user is limited by limits.replicas shares.",
        ),
        Alert(
            "PhytoflowTasksWait",
            "max by (namespace) (gateway_oldest_task_seconds) > 30",
            "0s",
            "warning",
            "the oldest asynchronous task has waited {{ $value | humanizeDuration }}",
            "Start workers: `phytoflow gateway worker`.",
        ),
    ),
)
