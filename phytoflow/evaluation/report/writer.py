"""What an evaluation leaves: pictures, predictions, report, card and, last, its metrics."""

from __future__ import annotations

from pathlib import Path

from phytoflow.evaluation.metrics.calibration import reliability
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.report.charts import confusion_figure, png, reliability_figure, risk_figure
from phytoflow.evaluation.report.html import REPORT_FILE, Pictures
from phytoflow.evaluation.report.model_card import CARD_FILE
from phytoflow.evaluation.results import METRICS_FILE, Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.storage.atomic import atomic_file

CONFUSION_FILE, RELIABILITY_FILE = "confusion_matrix.png", "reliability.png"


def pictures_of(
    metrics: Metrics, predictions: PhotoPredictions, settings: EvaluationSettings, curves: Path | None
) -> Pictures:
    """Draws what the report shows beside the photos; ``curves`` is a picture of the training, if any."""
    bins = reliability(predictions.confidence, predictions.correct, settings.calibration_bins)
    return Pictures(
        confusion=png(confusion_figure(metrics)),
        reliability=png(reliability_figure(bins, metrics.ece)),
        risk=png(risk_figure(metrics.selective)) if metrics.selective and metrics.accuracy < 1 else None,
        curves=curves.read_bytes() if curves and curves.exists() else None,
    )


def write(
    output: Path, metrics: Metrics, predictions: PhotoPredictions, pictures: Pictures, page: str, card: str
) -> None:
    """Writes an evaluation's folder; the metrics go last, so that a folder that has them is whole."""
    output.mkdir(parents=True, exist_ok=True)
    (output / METRICS_FILE).unlink(missing_ok=True)
    predictions.write(output)
    files = {
        CONFUSION_FILE: pictures.confusion,
        RELIABILITY_FILE: pictures.reliability,
        REPORT_FILE: page.encode(),
        CARD_FILE: card.encode(),
        METRICS_FILE: (metrics.model_dump_json(indent=2) + "\n").encode(),
    }
    for name, content in files.items():
        with atomic_file(output / name) as aside:
            aside.write_bytes(content)
