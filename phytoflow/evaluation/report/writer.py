"""Writes an evaluation's folder: charts, predictions, report, model card and, last, the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.bundle.bundle import Bundle
from phytoflow.evaluation.metrics.calibration import bin_by_confidence
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.report.charts import (
    draw_confusion,
    draw_reliability,
    draw_risk_coverage,
    draw_training_curves,
)
from phytoflow.evaluation.report.examples import ReportExamples
from phytoflow.evaluation.report.html import REPORT_FILE, ReportCharts, render_report
from phytoflow.evaluation.report.model_card import CARD_FILE, model_card
from phytoflow.evaluation.results import METRICS_FILE, Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.html.charts import png, svg
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.disk_errors import explain_disk_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The matrix holds class names, which may be in any script: an SVG is drawn with the reader's own fonts.
CONFUSION_FILE, RELIABILITY_FILE = "confusion_matrix.svg", "reliability.png"


@dataclass(frozen=True)
class EvaluationContent:
    """Everything that goes into an evaluation's folder.

    Attributes:
        metrics: The metrics.
        predictions: The predictions behind them.
        bundle: The bundle that was evaluated.
        examples: The photos that the report shows.
        model: The trained model's folder, for the training curves; None if it is not at hand.
    """

    metrics: Metrics
    predictions: PhotoPredictions
    bundle: Bundle
    examples: ReportExamples
    model: Path | None = None


def write_evaluation(output: Path, content: EvaluationContent, settings: EvaluationSettings) -> None:
    """Writes the folder. The metrics go last: a folder that has them is complete.

    Args:
        output: The folder; other files in it are left alone.
        content: What is written.
        settings: Number of calibration bins.

    Raises:
        StorageError: The folder cannot be written.
    """
    reliability = _reliability(content, settings)
    files = {
        CONFUSION_FILE: svg(draw_confusion(content.metrics)).encode(),
        RELIABILITY_FILE: png(reliability),
        REPORT_FILE: _report(content, reliability).encode(),
        CARD_FILE: model_card(content.metrics, content.bundle).encode(),
        METRICS_FILE: (content.metrics.model_dump_json(indent=2) + "\n").encode(),
    }
    with explain_disk_errors(output / METRICS_FILE):
        (output / METRICS_FILE).unlink(missing_ok=True)
    content.predictions.write(output)
    for name, data in files.items():
        with atomic_file(output / name) as aside:
            aside.write_bytes(data)


def _reliability(content: EvaluationContent, settings: EvaluationSettings) -> Figure:
    predictions = content.predictions
    bins = bin_by_confidence(predictions.confidence, predictions.correct, settings.calibration_bins)
    return draw_reliability(bins)


def _report(content: EvaluationContent, reliability: Figure) -> str:
    selective = content.metrics.selective
    risk = draw_risk_coverage(selective) if selective else None
    curves = draw_training_curves(content.model) if content.model else []
    charts = ReportCharts(svg(reliability), svg(risk) if risk else None, [svg(chart) for chart in curves])
    return render_report(content.metrics, content.bundle, charts, content.examples)
