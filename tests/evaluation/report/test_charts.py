from pathlib import Path

import numpy as np
import pytest

from phytoflow.evaluation.metrics.calibration import bin_by_confidence
from phytoflow.evaluation.metrics.selective import measure_risk_coverage
from phytoflow.evaluation.report.charts import (
    draw_confusion,
    draw_reliability,
    draw_risk_coverage,
    draw_training_curves,
)
from phytoflow.html.charts import svg
from tests.support.metrics import metrics_of, predictions_of


def test_training_curves_show_what_was_recorded_and_nothing_empty(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(
        "fit,epoch,rate,train/loss,validation/macro_f1\n"
        "head,1,0.1,0.9,\nhead,2,0.1,0.5,\nhead,3,0.1,0.4,\nfinal,1,0.1,0.3,0.9\n"
    )
    (curves,) = draw_training_curves(tmp_path)  # a single point of macro-F1 is no curve
    (axes,) = curves.axes
    assert axes.get_ylabel() == "loss"
    (line,) = axes.lines
    assert line.get_label() == "head, train"
    assert list(line.get_ydata()) == [0.9, 0.5, 0.4]


@pytest.mark.parametrize("text", ["fit,epoch,rate\n", "fit,epoch,rate,train/loss\nhead,1,0.1,0.9\n", None])
def test_without_epochs_there_is_no_chart(text: str | None, tmp_path: Path) -> None:
    if text:
        (tmp_path / "history.csv").write_text(text)
    assert draw_training_curves(tmp_path) == []


def test_without_a_mistake_there_is_no_risk_chart() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
    perfect = measure_risk_coverage(probabilities, np.array([0, 0]), temperature=1.0, bins=10)
    assert draw_risk_coverage(perfect) is None
    flawed = measure_risk_coverage(probabilities, np.array([0, 1]), temperature=1.0, bins=10)
    assert draw_risk_coverage(flawed) is not None


def test_bars_of_the_reliability_diagram_are_the_bins() -> None:
    bins = bin_by_confidence(np.array([0.6, 0.65, 0.95]), np.array([True, False, True]), bins=10)
    accuracy, counts = draw_reliability(bins).axes
    assert [bar.get_height() for bar in accuracy.patches] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert sum(bar.get_height() for bar in counts.patches) == 3


def test_class_names_of_any_script_stay_text_in_the_svg() -> None:
    names = ("健康 🌿", "Löwenzahn #1 <b>&\"q'", "a$b$")
    text = svg(draw_confusion(metrics_of(predictions_of([0, 1, 2], [0, 1, 1], names))))
    assert "健康 🌿" in text and "a$b$" in text
    assert "<b>" not in text and "&lt;b&gt;" in text
