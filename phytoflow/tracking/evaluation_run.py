"""Puts what is found out about a bundle later into the run that trained it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import TrackingError
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker

FOLDER = "evaluation"
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
        bundle: What was evaluated.
        evaluation: Folder that ``phytoflow.evaluation.evaluate`` wrote.
        scalars: Figures by name.

    Raises:
        TrackingError: MLflow cannot be reached, or refuses.
    """
    with bundle_run(settings, output, bundle) as tracker:
        tracker.log_metrics({f"test_{name}": value for name, value in scalars.items()})
        tracker.log_artifact(evaluation, FOLDER)


def log_verdict(settings: TrackingSettings, output: str | Path, bundle: Path, verdict: str) -> None:
    """Records what the gate said, as the tag ``gate``; raises TrackingError."""
    with bundle_run(settings, output, bundle) as tracker:
        tracker.set_tags({"gate": verdict})
