"""The dashboard "Model": what is classified, how sure the model is, and what people say of it."""

from __future__ import annotations

from phytoflow.dashboards.panel import NAMESPACE, Dashboard, Panel, Query, mean, quantiles, rate

_NO_PHOTOS = "No photo was classified in this range, or Prometheus does not scrape the predictor."
_NO_FEEDBACK = "Prometheus does not scrape the gateway."
_FEEDBACK = "gateway_feedback_total"


def _judged(verdicts: str) -> str:
    return f'sum(increase({_FEEDBACK}{{{NAMESPACE}, verdict=~"{verdicts}"}}[1d]))'


DASHBOARD = Dashboard(
    uid="phytoflow-model",
    title="phytoflow: model",
    description="What is classified, how sure the model is, and what people say of it.",
    panels=(
        Panel(
            "Photos by class",
            "Photos a second by likeliest class. A sudden shift: a season, a camera, or a fault.",
            "reqps",
            (Query(rate("predictions_total", by="class"), "{{class}}"),),
            _NO_PHOTOS,
        ),
        Panel(
            "Confidence",
            "Calibrated probability of the likeliest class: median and lowest tenth of the photos.",
            "percentunit",
            tuple(
                Query(f"histogram_quantile({q}, {rate('prediction_confidence_bucket', by='le')})", name)
                for q, name in ((0.5, "median"), (0.1, "lowest tenth"))
            ),
            _NO_PHOTOS,
            maximum=1,
        ),
        Panel(
            "Mean confidence",
            "Calibrated, so it estimates the accuracy while photos resemble the training photos.",
            "percentunit",
            (Query(mean("prediction_confidence"), "mean"),),
            _NO_PHOTOS,
            maximum=1,
        ),
        Panel(
            "Share of unknown photos",
            "Photos that resemble no training photos. Above 20%, other things are being photographed.",
            "percentunit",
            (Query(f"{rate('gateway_unknown_photos_total')} / {rate('gateway_photos_total')}", "unknown"),),
            "No photo was classified in this range.",
            maximum=1,
        ),
        Panel(
            "Evidence of drift",
            "Wealth of the test that compares photos with the bundle's reference; at 200 there is an alarm.",
            "short",
            (Query(f"max(gateway_drift_wealth{{{NAMESPACE}}})", "wealth"),),
            "The gateway watches no drift: upstream.champion_bundle names no bundle.",
        ),
        Panel(
            "Estimated accuracy",
            "Accuracy of the last known photos, estimated without labels, and that of the reference.",
            "percentunit",
            (
                Query(f"min(gateway_estimated_accuracy{{{NAMESPACE}}})", "estimated"),
                Query(f"max(gateway_reference_accuracy{{{NAMESPACE}}})", "reference"),
            ),
            "The gateway watches no drift, or more than a fifth of the photos are unknown.",
            maximum=1,
        ),
        Panel(
            "Age of the drift comparison",
            "Time since the gateway last looked for new photos and compared them; usually a few seconds.",
            "s",
            (Query(f"time() - max(gateway_drift_last_success_timestamp_seconds{{{NAMESPACE}}} > 0)", "age"),),
            "The gateway watches no drift: upstream.champion_bundle names no bundle with a reference.",
        ),
        Panel(
            "Feedback by verdict",
            "What users say of predictions, a second: right, another class, or cannot tell.",
            "reqps",
            (Query(rate(_FEEDBACK, by="verdict"), "{{verdict}}"),),
            _NO_FEEDBACK,
        ),
        Panel(
            "Share of contradicted predictions",
            "Of the predictions that users judged. People comment on errors more than on what is right: "
            "read the trend, not the level.",
            "percentunit",
            (Query(f"{_judged('label')} / {_judged('label|right')}", "contradicted, one day"),),
            "No feedback within one day.",
            maximum=1,
        ),
        Panel(
            "Decisions of reviewers",
            "Corrections accepted or rejected, a day. Accepted ones are the next training's material.",
            "short",
            (
                Query(
                    f"sum by (decision) (increase(gateway_decisions_total{{{NAMESPACE}}}[1d]))",
                    "{{decision}}",
                ),
            ),
            "Prometheus does not scrape the gateway.",
        ),
        Panel(
            "Time of one inference",
            "One call of the runtime, for one batch.",
            "s",
            quantiles("model_inference_seconds"),
            _NO_PHOTOS,
        ),
        Panel(
            "Versions that answer",
            "Replicas by model version. Two versions over a long time are a rollout that does not end.",
            "short",
            (Query(f"sum by (version) (model_metadata_info{{{NAMESPACE}}})", "{{version}}"),),
            "Prometheus does not scrape the predictor.",
        ),
        Panel(
            "Age of the model",
            "Time since the model that answers was exported; the oldest replica's.",
            "s",
            (Query(f"time() - min(model_created_timestamp_seconds{{{NAMESPACE}}} > 0)", "age"),),
            "The bundle does not say when it was made, or Prometheus does not scrape the predictor.",
        ),
        Panel(
            "Share of the challenger",
            "Users that the challenger of a rollout answers; 0 without a rollout and while it only listens.",
            "percentunit",
            (Query(f"max(gateway_rollout_percent{{{NAMESPACE}}}) / 100", "challenger"),),
            _NO_FEEDBACK,
            maximum=1,
        ),
        Panel(
            "Age of the rollout's stage",
            "How long the rollout has been in its stage. After three days it lacks traffic or labels.",
            "s",
            (Query(f"max(gateway_rollout_stage_seconds{{{NAMESPACE}}})", "age"),),
            _NO_FEEDBACK,
        ),
        Panel(
            "Changes of version",
            "Versions that the predictors loaded, rejected or unloaded, an hour.",
            "short",
            (
                Query(
                    f"sum by (outcome) (increase(model_version_changes_total{{{NAMESPACE}}}[1h]))",
                    "{{outcome}}",
                ),
            ),
            "Prometheus does not scrape the predictor.",
        ),
    ),
)
