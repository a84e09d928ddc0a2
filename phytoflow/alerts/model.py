"""Alerts on the model: what it is shown, what people say of it, its age, its versions."""

from __future__ import annotations

from phytoflow.alerts.rule import Alert, Group

_OLDEST_DAYS = 180  # two seasons: by then the plants look different
_LONGEST_STAGE_DAYS = 3  # a stage that lacks evidence for longer lacks traffic or reviewers
_LONGEST_DRIFT_ROUND_SECONDS = 120  # a round begins every few seconds; scrapes may be a minute apart
_CONTRADICTED = 'gateway_feedback_total{verdict="label"}'
_JUDGED = 'gateway_feedback_total{verdict=~"label|right"}'


def _sum(metric: str, window: str) -> str:
    return f"sum by (namespace) (increase({metric}[{window}]))"


GROUP = Group(
    "phytoflow-model",
    (
        Alert(
            "PhytoflowUnknownPhotos",
            f"{_sum('gateway_unknown_photos_total', '15m')} / {_sum('gateway_photos_total', '15m')} > 0.2 "
            f"and {_sum('gateway_photos_total', '15m')} > 30",
            "0s",
            "warning",
            "{{ $value | humanizePercentage }} of the photos resemble no training photos",
            "Look at the photos of unknown predictions on the console's page Review.",
        ),
        Alert(
            "PhytoflowContradicted",
            f"{_sum(_CONTRADICTED, '1d')} / {_sum(_JUDGED, '1d')} > 0.3 and {_sum(_JUDGED, '1d')} > 10",
            "0s",
            "warning",
            "users contradict {{ $value | humanizePercentage }} of the predictions they judged today",
            "Review the corrections. If they are right, collect them and train again.",
        ),
        Alert(
            "PhytoflowDrift",
            'max by (namespace, grade) (gateway_drift_grade{grade=~"ungraded|harmless"}) == 1',
            "0s",
            "info",
            "the photos changed; grade: {{ $labels.grade }}",
            "The console's page Drift shows what moved and example photos. Nothing has to be done at once.",
        ),
        Alert(
            "PhytoflowDriftHarmful",
            'max by (namespace, grade) (gateway_drift_grade{grade=~"harmful|unfamiliar"}) == 1',
            "5m",
            "warning",
            "the photos changed, and the answers suffer; grade: {{ $labels.grade }}",
            "Look at the example photos on the console's page Drift, and have some of them labelled.",
        ),
        Alert(
            "PhytoflowAccuracyFell",
            "max by (namespace) (gateway_reference_accuracy) "
            "- min by (namespace) (gateway_estimated_accuracy) > 0.1",
            "15m",
            "critical",
            "the estimated accuracy lies {{ $value | humanizePercentage }} below that of the reference",
            "Compare with reviewed photos. If it is so, roll back or retrain.",
        ),
        # The newest success of all replicas: it is enough that one of them compares.
        Alert(
            "PhytoflowDriftNotWatched",
            "time() - max by (namespace) (gateway_drift_last_success_timestamp_seconds > 0) "
            f"> {_LONGEST_DRIFT_ROUND_SECONDS}",
            "15m",
            "warning",
            "photos have not been compared with the reference for {{ $value | humanizeDuration }}",
            "The gateway's log says why: `drift is not watched`.",
        ),
        Alert(
            "PhytoflowModelOld",
            "(time() - min by (namespace, inferenceservice) (model_created_timestamp_seconds > 0)) / 86400 "
            f"> {_OLDEST_DAYS}",
            "0s",
            "info",
            "the model is {{ $value | humanize }} days old",
            "Train with the photos of this season, and compare.",
        ),
        Alert(
            "PhytoflowVersionRejected",
            "sum by (namespace, inferenceservice) "
            '(increase(model_version_changes_total{outcome="rejected"}[10m])) > 0',
            "0s",
            "warning",
            "a predictor rejected a version; the version before answers",
            "The predictor's log names the probe photo or the file that failed.",
        ),
        Alert(
            "PhytoflowRolloutStuck",
            f"max by (namespace) (gateway_rollout_stage_seconds) / 86400 > {_LONGEST_STAGE_DAYS}",
            "0s",
            "warning",
            "the rollout has been in its stage for {{ $value | humanize }} days",
            "`phytoflow rollout status` says which evidence it waits for.",
        ),
        Alert(
            "PhytoflowRetrainingFailed",
            'sum by (namespace) (increase(watch_events_total{action="train", state="failed"}[1h])) > 0',
            "0s",
            "warning",
            "a training that `phytoflow watch` started has failed",
            "`phytoflow watch FILE --log` names the log of the training.",
        ),
    ),
)
