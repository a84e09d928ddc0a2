"""The dashboard "API performance": what callers of the gateway experience."""

from __future__ import annotations

from phytoflow.alerts.objectives import API_ROUTES, ERROR_BUDGET
from phytoflow.dashboards.panel import NAMESPACE, Dashboard, Panel, Query, quantiles, rate

_REQUESTS = "gateway_requests_total"
_ANSWERED = rate(_REQUESTS, where=API_ROUTES)
_FAILED = rate(_REQUESTS, where=f'{API_ROUTES}, status=~"5.."')
_ERRORS = "phytoflow:gateway_errors:ratio_rate"
_DURATION = "gateway_request_duration_seconds"
_NO_REQUESTS = "No requests in this range, or Prometheus does not scrape the gateway."

DASHBOARD = Dashboard(
    uid="phytoflow-api",
    title="phytoflow: API performance",
    description="What callers of the gateway experience.",
    panels=(
        Panel(
            "Requests by status",
            "Requests a second by HTTP status. 4xx are mistakes of callers, 5xx are the service's own.",
            "reqps",
            (Query(rate(_REQUESTS, by="status"), "{{status}}"),),
            _NO_REQUESTS,
        ),
        Panel(
            "Availability",
            f"Share of requests to the API that did not fail with 5xx. Objective: {1 - ERROR_BUDGET:.1%}.",
            "percentunit",
            (Query(f"1 - ({_FAILED} or vector(0)) / {_ANSWERED}", "not 5xx"),),
            _NO_REQUESTS,
            maximum=1,
        ),
        Panel(
            "Burn rate of the error budget",
            f"How many times faster than allowed errors use up the budget of {ERROR_BUDGET:.1%} a month. "
            "The alert for people on call fires at 14.4 over 5 minutes and 1 hour.",
            "short",
            tuple(
                Query(f"max({_ERRORS}{window}{{{NAMESPACE}}}) / {ERROR_BUDGET}", window)
                for window in ("5m", "1h", "6h")
            ),
            "No requests to /v1 yet, or Prometheus has not loaded the recording rules.",
        ),
        Panel(
            "Time to answer",
            "From the first byte of a request to the last of its answer, all routes. "
            "The objective is 95% within 1 s.",
            "s",
            quantiles(_DURATION),
            _NO_REQUESTS,
        ),
        Panel(
            "Time to answer by route (p95)",
            "Which route is slow. Pages of the console and the API are separate routes.",
            "s",
            (Query(f"histogram_quantile(0.95, {rate(f'{_DURATION}_bucket', by='le, route')})", "{{route}}"),),
            _NO_REQUESTS,
        ),
        Panel(
            "Time of the predictor",
            "The predictor's part of the time to answer. The rest is the gateway's own.",
            "s",
            quantiles("gateway_upstream_duration_seconds"),
            "No photo was classified in this range.",
        ),
        Panel(
            "Photos by transport",
            "Photos classified a second: REST, task, console, or direct callers of the predictor.",
            "reqps",
            (Query(rate("gateway_photos_total", by="source"), "{{source}}"),),
            "No photo was classified in this range.",
        ),
        Panel(
            "Refusals and failures by reason",
            "The reason is that of the problem document which the caller got.",
            "reqps",
            (Query(rate("gateway_problems_total", by="reason, code"), "{{code}} {{reason}}"),),
            "No request was refused or failed in this range.",
        ),
        Panel(
            "Rate limit",
            "Requests a second refused with 429 because a user sent too many photos.",
            "reqps",
            (Query(rate("gateway_limited_total"), "refused"),),
            "Prometheus does not scrape the gateway.",
        ),
        Panel(
            "Requests in progress",
            "Requests that are being answered, all replicas. If it only rises, the predictor hangs.",
            "short",
            (Query(f"sum(gateway_requests_in_progress{{{NAMESPACE}}})", "in progress"),),
            "Prometheus does not scrape the gateway.",
        ),
        Panel(
            "Asynchronous tasks by outcome",
            "Tasks that ended, a second. Failed ones name the reason in their result.",
            "reqps",
            (Query(rate("gateway_tasks_total", by="outcome"), "{{outcome}}"),),
            "No task ended in this range, or Prometheus does not scrape the worker.",
        ),
    ),
)
