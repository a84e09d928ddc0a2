from pathlib import Path

import pytest

from phytoflow.evaluation.report.kfp_views import kfp_views


def test_views_are_plain_and_finite(evaluation: Path) -> None:
    views = kfp_views(evaluation)
    assert views.scalars["test.accuracy"] == pytest.approx(24 / 26)
    assert views.scalars["test.intervals.accuracy.low"] < views.scalars["test.accuracy"]
    assert views.classes == ["red", "green", "blue"]
    assert views.confusion_matrix == [[12, 0, 2], [0, 12, 0], [0, 0, 0]]
    assert views.markdown.startswith("# Right on 24 of 26 test photos")
    assert len(views.roc.fpr) == len(views.roc.tpr) == len(views.roc.threshold) <= 200
    assert all(0 <= value <= 1 for values in views.roc for value in values)
    assert (views.roc.fpr[0], views.roc.tpr[0], views.roc.fpr[-1], views.roc.tpr[-1]) == (0, 0, 1, 1)


def test_kfp_takes_the_views(evaluation: Path) -> None:
    dsl = pytest.importorskip("kfp.dsl")
    views, classification, metrics = kfp_views(evaluation), dsl.ClassificationMetrics(), dsl.Metrics()
    classification.log_confusion_matrix(views.classes, views.confusion_matrix)
    classification.log_roc_curve(*views.roc)
    for name, value in views.scalars.items():
        metrics.log_metric(name, value)
    assert len(classification.metadata["confidenceMetrics"]) == len(views.roc.fpr)
    assert metrics.metadata["test.photos"] == 26.0
