"""An evaluation, in the MLflow run that trained the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from phytoflow.config import TrackingSettings
from phytoflow.models.bundle import Bundle
from phytoflow.tracking.tracker import Tracker

FOLDER = "evaluation"


def log_evaluation(
    settings: TrackingSettings,
    output: str | Path,
    bundle: Path,
    evaluation: Path,
    scalars: Mapping[str, float],
) -> None:
    """Adds figures as ``test_*`` metrics, and the folder's files (pictures, tables, report) as artifacts.

    Args:
        settings: Where runs are recorded.
        output: Holds the runs if ``settings.uri`` is empty.
        bundle: Whose ``provenance.run_id`` names the run; without one a run of its own is made.
        evaluation: Folder that ``evaluate`` wrote.
        scalars: Figures by name.

    Raises:
        TrackingError: MLflow cannot be reached, or refuses.
    """
    manifest = Bundle.load(bundle, verify=False).manifest
    run_id, key = manifest.provenance.run_id, f"evaluate-{manifest.version}"
    with Tracker.open(settings, output, run_id=run_id, key=key, name="evaluate") as tracker:
        tracker.log_metrics({f"test_{name}": value for name, value in scalars.items()})
        for path in sorted(evaluation.iterdir()):
            tracker.log_artifact(path, FOLDER)
