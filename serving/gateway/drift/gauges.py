"""Drift as metrics: every replica shows what the database says, so that it does not matter which is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from phytoflow.monitoring.grades import Grade
from serving.gateway import metrics
from serving.gateway.drift.tables import DriftRow


def publish(rows: Sequence[DriftRow]) -> None:
    """Sets the gauges to the version that saw photos last."""
    if not rows or rows[0].assessment is None:
        return
    result = rows[0].assessment
    metrics.DRIFT_PHOTOS.set(result.photos)
    metrics.DRIFT_WEALTH.set(result.wealth)
    for grade in get_args(Grade):
        metrics.DRIFT_GRADE.labels(grade).set(result.grade == grade)
    metrics.DRIFT_UNKNOWN_SHARE.set(result.accuracy.unknown_share)
    metrics.REFERENCE_ACCURACY.set(result.accuracy.reference)
    estimate = result.accuracy.thresholded
    metrics.ESTIMATED_ACCURACY.set(float("nan") if estimate is None else estimate)
