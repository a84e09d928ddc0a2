"""The dashboard "Infrastructure": processes, queues, and what the gateway writes."""

from __future__ import annotations

from phytoflow.dashboards.panel import NAMESPACE, Dashboard, Panel, Query, mean, quantiles, rate

_OURS = f'{NAMESPACE}, job=~".*(gateway|predictor|worker).*"'
_NOT_SCRAPED = "Prometheus does not scrape gateway and predictor."
_NO_GATEWAY = "Prometheus does not scrape the gateway."
_NO_PHOTOS = "No photo was classified in this range."

DASHBOARD = Dashboard(
    uid="phytoflow-infrastructure",
    title="phytoflow: infrastructure",
    description="Processes, queues, and what the gateway writes.",
    panels=(
        Panel(
            "Processes that answer",
            "Targets that Prometheus reaches, by job.",
            "short",
            (Query(f"sum by (job) (up{{{_OURS}}})", "{{job}}"),),
            _NOT_SCRAPED,
        ),
        Panel(
            "Processor time",
            "Cores used by each process.",
            "short",
            (
                Query(
                    f"sum by (job, instance) (rate(process_cpu_seconds_total{{{_OURS}}}[$__rate_interval]))",
                    "{{job}} {{instance}}",
                ),
            ),
            _NOT_SCRAPED,
        ),
        Panel(
            "Memory",
            "Resident memory of each process. A line that rises for days is a leak.",
            "bytes",
            (
                Query(
                    f"sum by (job, instance) (process_resident_memory_bytes{{{_OURS}}})",
                    "{{job}} {{instance}}",
                ),
            ),
            _NOT_SCRAPED,
        ),
        Panel(
            "Open files and connections",
            "Of each process.",
            "short",
            (Query(f"sum by (job, instance) (process_open_fds{{{_OURS}}})", "{{job}} {{instance}}"),),
            _NOT_SCRAPED,
        ),
        Panel(
            "Photos in the predictor's queue",
            "Photos that wait for inference, all replicas.",
            "short",
            (Query(f"sum(prediction_queue_depth{{{NAMESPACE}}})", "waiting"),),
            "Prometheus does not scrape the predictor.",
        ),
        Panel(
            "Wait in the predictor's queue",
            "Time of a photo before its batch began. Above 0.5 s more replicas are needed.",
            "s",
            quantiles("prediction_queue_seconds"),
            _NO_PHOTOS,
        ),
        Panel(
            "Photos in one batch",
            "Mean number of photos in one call of the runtime.",
            "short",
            (Query(mean("prediction_batch_size"), "photos"),),
            _NO_PHOTOS,
        ),
        Panel(
            "Tasks that wait",
            "Asynchronous tasks that no worker has begun.",
            "short",
            (Query(f"max(gateway_tasks_waiting{{{NAMESPACE}}})", "waiting"),),
            _NO_GATEWAY,
        ),
        Panel(
            "Age of the oldest task",
            "How long the oldest waiting task has waited. Above a minute, workers are missing.",
            "s",
            (Query(f"max(gateway_oldest_task_seconds{{{NAMESPACE}}})", "age"),),
            _NO_GATEWAY,
        ),
        Panel(
            "Database and rate limit",
            "1 while the database answers; 1 while the limiter works without Redis.",
            "short",
            (
                Query(f"min(gateway_database_up{{{NAMESPACE}}})", "database answers"),
                Query(f"max(gateway_limiter_degraded{{{NAMESPACE}}})", "limiter without Redis"),
            ),
            _NO_GATEWAY,
            maximum=1,
        ),
        Panel(
            "Prediction log",
            "Predictions a second: written to the database, kept on disk in the meantime, and lost.",
            "reqps",
            (
                Query(rate("gateway_predictions_logged_total"), "written"),
                Query(rate("gateway_predictions_spilled_total"), "waited on disk"),
                Query(rate("gateway_predictions_dropped_total"), "lost"),
            ),
            _NO_GATEWAY,
        ),
        Panel(
            "Predictions on disk",
            "Bytes of predictions that wait for the database.",
            "bytes",
            (Query(f"sum(gateway_journal_bytes{{{NAMESPACE}}})", "waiting"),),
            _NO_GATEWAY,
        ),
        Panel(
            "Photos stored",
            "Photos a second that the policy wanted: stored, and not stored by reason.",
            "reqps",
            (
                Query(rate("gateway_photos_stored_total"), "stored"),
                Query(rate("gateway_photos_not_stored_total", by="reason"), "not stored: {{reason}}"),
            ),
            _NO_GATEWAY,
        ),
    ),
)
