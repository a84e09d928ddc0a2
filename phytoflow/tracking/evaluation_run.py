"""Records what is found out about a bundle in the MLflow run that trained it."""

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
        BundleError: The folder holds no complete bundle.
        TrackingError: MLflow cannot be reached, or refuses.
    """
    manifest = Bundle.load(bundle).manifest
    if run_id := manifest.provenance.run_id:
        try:
            return Tracker.open(settings, output, run_id=run_id)
        except TrackingError as error:
            _LOG.warning("the run that trained the bundle is not in this MLflow (%s)", error.message)
    name = f"bundle {manifest.version} of {manifest.backbone}"
    key, model = manifest.version, manifest.backbone
    return Tracker.open(settings, output, key=key, name=name, model=model, finished=True)


def log_evaluation(
    settings: TrackingSettings,
    output: str | Path,
    bundle: Path,
    evaluation: Path,
    scalars: Mapping[str, float],
    result: str,
) -> dict[str, float]:
    """Records an evaluation: its scalars as metrics, its files as artifacts.

    Args:
        settings: Where runs are recorded.
        output: Holds the runs if ``settings.uri`` is empty.
        bundle: Folder of the bundle.
        evaluation: Folder that ``phytoflow.evaluation.evaluate`` wrote.
        scalars: Metrics by dotted name; see ``phytoflow.evaluation.scalars``.
        result: The result in a sentence, for the run's description.

    Returns:
        The scalars under the names that MLflow accepts.

    Raises:
        TrackingError: MLflow cannot be reached, or refuses.
        StorageError: The disk is full, or the output folder cannot be written.
    """
    with bundle_run(settings, output, bundle) as tracker:
        accepted = tracker.log_scalars(scalars)
        tracker.log_artifact(evaluation, FOLDER)
        tracker.describe(result=result, report=f"{FOLDER}/report.html", output=str(output))
    return accepted


def log_report(
    settings: TrackingSettings, output: str | Path, bundle: Path, report: Path, facts: Mapping[str, str]
) -> None:
    """Replaces the report among the run's artifacts, and adds facts to its description.

    Args:
        settings: Where runs are recorded.
        output: Holds the runs if ``settings.uri`` is empty.
        bundle: Folder of the bundle.
        report: The page, named ``report.html``.
        facts: See ``phytoflow.tracking.description.RunFacts``.

    Raises:
        TrackingError: MLflow cannot be reached, or refuses.
        StorageError: The disk is full, or the output folder cannot be written.
    """
    with bundle_run(settings, output, bundle) as tracker:
        tracker.log_artifact(report, FOLDER)
        tracker.describe(**facts)


def log_verdict(settings: TrackingSettings, output: str | Path, bundle: Path, verdict: str) -> None:
    """Records the gate's decision as the tag ``gate``; raises TrackingError."""
    with bundle_run(settings, output, bundle) as tracker:
        tracker.set_tags({"gate": verdict})
