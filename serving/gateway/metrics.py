"""Prometheus metrics of the gateway; labels are route templates and fixed words, never what a client sent."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # processor time, memory and open files
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

REQUESTS = Counter(
    "gateway_requests_total",
    "Requests by route, method and status.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "gateway_request_duration_seconds",
    "Time to the last byte of the answer.",
    ["route"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
IN_PROGRESS = Gauge("gateway_requests_in_progress", "Requests being answered.", registry=REGISTRY)
UPSTREAM_SECONDS = Histogram(
    "gateway_upstream_duration_seconds", "Time of the predictor's part.", buckets=_SECONDS, registry=REGISTRY
)
PROBLEMS = Counter(
    "gateway_problems_total", "Refusals and failures by reason.", ["reason", "code"], registry=REGISTRY
)
PHOTOS = Counter("gateway_photos_total", "Photos classified, by transport.", ["source"], registry=REGISTRY)
UNKNOWN_PHOTOS = Counter(
    "gateway_unknown_photos_total", "Photos that resemble no training photos.", registry=REGISTRY
)
LIMITED = Counter("gateway_limited_total", "Requests refused by the rate limit.", registry=REGISTRY)
LIMITER_FALLBACKS = Counter(
    "gateway_limiter_fallbacks_total",
    "Requests limited by this replica's share because Redis was away.",
    registry=REGISTRY,
)
LIMITER_DEGRADED = Gauge(
    "gateway_limiter_degraded",
    "1 while Redis is away and each replica limits its own share.",
    registry=REGISTRY,
)
LOGGED = Counter(
    "gateway_predictions_logged_total", "Predictions written to the database.", registry=REGISTRY
)
SPILLED = Counter(
    "gateway_predictions_spilled_total",
    "Predictions that waited on disk for the database.",
    registry=REGISTRY,
)
DROPPED = Counter(
    "gateway_predictions_dropped_total", "Predictions lost because the journal was full.", registry=REGISTRY
)
JOURNAL_BYTES = Gauge(
    "gateway_journal_bytes", "Predictions on disk that wait for the database.", registry=REGISTRY
)
DATABASE_UP = Gauge("gateway_database_up", "1 while the database answers.", registry=REGISTRY)
TASKS = Counter("gateway_tasks_total", "Asynchronous tasks by outcome.", ["outcome"], registry=REGISTRY)
TASKS_WAITING = Gauge("gateway_tasks_waiting", "Tasks that no worker has begun.", registry=REGISTRY)
OLDEST_TASK_SECONDS = Gauge(
    "gateway_oldest_task_seconds", "Age of the oldest task that no worker has begun.", registry=REGISTRY
)
PHOTOS_STORED = Counter("gateway_photos_stored_total", "Photos stored by policy.", registry=REGISTRY)
PHOTOS_NOT_STORED = Counter(
    "gateway_photos_not_stored_total",
    "Photos that the policy wanted and that were not stored.",
    ["reason"],
    registry=REGISTRY,
)
COMPARED = Counter(
    "gateway_compared_total",
    "Photos that both models of a rollout were asked about: agree, disagree or failed.",
    ["outcome"],
    registry=REGISTRY,
)
COMPARISONS_DROPPED = Counter(
    "gateway_comparisons_dropped_total",
    "Requests that were not compared because too many waited.",
    registry=REGISTRY,
)
ROLLOUT_PERCENT = Gauge(
    "gateway_rollout_percent", "Share of users that the challenger answers, in percent.", registry=REGISTRY
)
ROLLOUT_STAGE_SECONDS = Gauge(
    "gateway_rollout_stage_seconds", "Age of the rollout's stage; 0 without a rollout.", registry=REGISTRY
)
SIGN_INS = Counter("gateway_sign_ins_total", "Console sign-ins by outcome.", ["outcome"], registry=REGISTRY)
FEEDBACK = Counter("gateway_feedback_total", "Feedback by verdict.", ["verdict"], registry=REGISTRY)
DECISIONS = Counter("gateway_decisions_total", "Decisions of reviewers.", ["decision"], registry=REGISTRY)

# rate() needs a value before the first event: a counter that appears with it hides that one.
for _verdict in ("right", "label", "cannot_tell"):
    FEEDBACK.labels(_verdict)
for _decision in ("accepted", "rejected"):
    DECISIONS.labels(_decision)
for _reason, _code in (
    ("overloaded", "5xx"),
    ("internal_error", "5xx"),
    ("predictor_busy", "5xx"),
    ("predictor_error", "5xx"),
    ("predictor_timeout", "5xx"),
    ("predictor_unreachable", "5xx"),
    ("queue_full", "5xx"),
    ("queue_unreachable", "5xx"),
):
    PROBLEMS.labels(_reason, _code)
for _reason in ("busy", "unstorable", "storage"):
    PHOTOS_NOT_STORED.labels(_reason)
DRIFT_LAST_SUCCESS = Gauge(
    "gateway_drift_last_success_timestamp_seconds",
    "When the drift job last ended a round without a fault, at first when it began; 0 without a reference.",
    registry=REGISTRY,
)
DRIFT_PHOTOS = Gauge("gateway_drift_photos", "Photos that the drift monitor compared.", registry=REGISTRY)
DRIFT_WEALTH = Gauge(
    "gateway_drift_wealth", "Wealth of the drift test; 200 raises the alarm.", registry=REGISTRY
)
DRIFT_GRADE = Gauge(
    "gateway_drift_grade",
    "1 for the present grade of the drift, 0 for the others.",
    ["grade"],
    registry=REGISTRY,
)
DRIFT_UNKNOWN_SHARE = Gauge(
    "gateway_drift_unknown_share", "Share of unknown photos among the last ones.", registry=REGISTRY
)
ESTIMATED_ACCURACY = Gauge(
    "gateway_estimated_accuracy",
    "Accuracy estimated without labels; NaN while it cannot be told.",
    registry=REGISTRY,
)
REFERENCE_ACCURACY = Gauge(
    "gateway_reference_accuracy", "Accuracy on the reference photos of the bundle.", registry=REGISTRY
)
for _gauge in (ESTIMATED_ACCURACY, REFERENCE_ACCURACY):
    _gauge.set(float("nan"))  # until photos were compared: an accuracy of 0 would raise an alarm
