"""Service level objectives of the API, and alerts on how fast their error budgets burn.

Two windows for each alert (Beyer et al., The Site Reliability Workbook, 2018, chapter 5): the long one shows
that a noticeable part of the budget is gone, the short one that it is still burning.
"""

from __future__ import annotations

from phytoflow.alerts.rule import Alert, Group, Record, Severity

ERROR_BUDGET = 0.005
"""Share of requests that may fail within 30 days: an availability of 99.5%."""
SLOW_BUDGET = 0.05
"""Share of requests that may take longer than a second."""
API_ROUTES = 'route=~"/v1/.+", route!="/v1/health"'
"""Matcher of the requests that the objectives are about; the health page fails on purpose."""
_WINDOWS = ("5m", "30m", "1h", "6h")
# Burn rates of the workbook: at 14.4 two per cent of the budget are gone in an hour, at 6 five in six hours.
_FAST, _SLOW = 14.4, 6
_FEWEST = 20  # requests within the long window: one failure at night wakes nobody
_SECONDS = {"1h": 3600, "6h": 21600}


def _records(window: str) -> tuple[Record, ...]:
    requests = f"sum by (namespace) (rate(gateway_requests_total{{{API_ROUTES}}}[{window}]))"
    failed = f'sum by (namespace) (rate(gateway_requests_total{{{API_ROUTES}, status=~"5.."}}[{window}]))'
    durations = "gateway_request_duration_seconds"
    # Client libraries write the bound as 1 or as 1.0.
    quick = f'sum by (namespace) (rate({durations}_bucket{{{API_ROUTES}, le=~"1|1.0"}}[{window}]))'
    answered = f"sum by (namespace) (rate({durations}_count{{{API_ROUTES}}}[{window}]))"
    return (
        Record(f"phytoflow:gateway_requests:rate{window}", requests),
        Record(
            f"phytoflow:gateway_errors:ratio_rate{window}", f"({failed} or 0 * {requests}) / {requests} >= 0"
        ),
        Record(f"phytoflow:gateway_slow:ratio_rate{window}", f"1 - {quick} / {answered} >= 0"),
    )


def _burning(series: str, budget: float, factor: float, long: str, short: str) -> str:
    limit = f"{factor * budget:.3g}"
    return (
        f"{series}:ratio_rate{long} > {limit} and {series}:ratio_rate{short} > {limit} "
        f"and phytoflow:gateway_requests:rate{long} * {_SECONDS[long]} > {_FEWEST}"
    )


def _pair(name: str, series: str, budget: float, what: str, advice: str) -> tuple[Alert, Alert]:
    def alert(suffix: str, factor: float, long: str, short: str, severity: Severity) -> Alert:
        summary = f"{{{{ $value | humanizePercentage }}}} of the requests {what}, within the last {long}"
        expression = _burning(series, budget, factor, long, short)
        return Alert(f"{name}{suffix}", expression, "0s", severity, summary, advice)

    return alert("Fast", _FAST, "1h", "5m", "critical"), alert("Slowly", _SLOW, "6h", "30m", "warning")


GROUP = Group(
    "phytoflow-objectives",
    (
        *(record for window in _WINDOWS for record in _records(window)),
        *_pair(
            "PhytoflowAvailabilityBurns",
            "phytoflow:gateway_errors",
            ERROR_BUDGET,
            "fail",
            "The panel `Refusals and failures by reason` shows the cause.",
        ),
        *_pair(
            "PhytoflowLatencyBurns",
            "phytoflow:gateway_slow",
            SLOW_BUDGET,
            "take longer than a second",
            "The panel `Time of the predictor` shows whether it is the predictor.",
        ),
    ),
)
