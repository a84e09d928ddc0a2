"""Puts what is found out about a bundle later into the run that trained it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from phytoflow.config import TrackingSettings
from phytoflow.errors import TrackingError
from phytoflow.models.bundle import Bundle
from phytoflow.tracking.tracker import Tracker

_FOLDER = "evaluation"
_NO_FIGURES = ("schema_version", "seed", "confidence")
_LOG = logging.getLogger(__name__)


def bundle_run(settings: TrackingSettings, output: str | Path, bundle: Path) -> Tracker:
    """The run that trained a bundle (``provenance.run_id``), or one of the bundle's own.

    Raises:
        BundleError: The folder holds no whole bundle.
        TrackingError: MLflow cannot be reached, or refuses.
    """
    manifest = Bundle.load(bundle).manifest
    if run_id := manifest.provenance.run_id:
        try:
            return Tracker.open(settings, output, run_id=run_id)
        except TrackingError as error:
            _LOG.warning("the run that trained the bundle is not in this MLflow (%s)", error.message)
    return Tracker.open(settings, output, key=manifest.version, name="bundle", finished=True)


def record_evaluation(
    settings: TrackingSettings, output: str | Path, bundle: Path, evaluation: Path, verdict: str
) -> None:
    """Records figures as ``test_*``, the evaluation's files, and the gate's verdict.

    Args:
        settings: Where runs are recorded.
        output: Holds the store if ``settings.uri`` is empty.
        bundle: What was evaluated.
        evaluation: Folder that ``phytoflow.evaluation.evaluate`` wrote.
        verdict: ``passed``, or why not.

    Raises:
        TrackingError: MLflow cannot be reached, or refuses.
    """
    metrics = json.loads((evaluation / "metrics.json").read_text())
    numbers = {k: v for k, v in metrics.items() if isinstance(v, int | float) and k not in _NO_FIGURES}
    figures = {f"test_{name}": value for name, value in numbers.items()}
    figures |= {f"test_f1/{name}": row["f1"] for name, row in metrics["per_class"].items() if row["support"]}
    with bundle_run(settings, output, bundle) as tracker:
        tracker.log_metrics(figures)
        tracker.log_artifact(evaluation, _FOLDER)
        tracker.set_tags({"gate": verdict, "bundle_version": metrics["bundle_version"]})
