"""Alerts on the model: what it is shown, what people say of it, its age, its versions."""

from __future__ import annotations

from phytoflow.alerts.rule import Alert, Group

_OLDEST_DAYS = 180  # two seasons: by then the plants look different
_LONGEST_STAGE_DAYS = 3  # a stage that lacks evidence for longer lacks traffic or reviewers
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
