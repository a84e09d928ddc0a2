"""The gate step: is the model good enough to publish?"""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import GateError
from phytoflow.evaluation.gate.conditions import Verdict, judge
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.results import METRICS_FILE, Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.steps.settings import GateStepSettings
from phytoflow.storage.uri import join, put_file
from phytoflow.tracking.evaluation_run import log_verdict
from phytoflow.tracking.registry import Champion, champion
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from phytoflow.evaluation.compare.paired import Comparison

_LOG = logging.getLogger(__name__)


def gate(bundle: Path, dataset: Path, evaluation: Path, settings: GateStepSettings, output: str) -> Verdict:
    """Judges the figures, and the bundle against the champion; report and verdict go to ``output``."""
    verdict = judge_bundle(bundle, dataset, evaluation, settings.gate, settings.tracking, output)
    put_file(evaluation / "metrics.json", join(output, "metrics.json"))
    put_file(evaluation / "report.html", join(output, "report.html"))
    put_file(dataset / "data.html", join(output, "data.html"))
    for condition in verdict.conditions:
        _LOG.info("%s %s", "passed:" if condition.passed else "NOT passed:", condition.text)
    return verdict


def refuse(reason: str) -> None:
    """Ends a run whose gate failed; always raises GateError."""
    remedy = (
        "look at report.html; more or cleaner photos of the weak classes help most, or lower gate.* knowingly"
    )
    raise GateError(f"the gate refused this model: {reason}", remedy=remedy)


def judge_bundle(
    bundle: Path,
    dataset: Path,
    evaluation: Path,
    settings: GateSettings,
    tracking: TrackingSettings,
    output: str | Path,
) -> Verdict:
    """Judges a bundle by its evaluation folder and against the champion of the registry.

    The verdict is recorded in MLflow, with the run that trained the bundle.

    Args:
        bundle: The challenger.
        dataset: Whose test photos it was evaluated on.
        evaluation: Folder that ``evaluate`` wrote.
        settings: The limits.
        tracking: Where the registry is.
        output: Holds the registry if ``tracking.uri`` is empty.

    Raises:
        TrackingError: The registry cannot be reached, or the champion's bundle is gone.
        BundleError: A bundle is damaged.
    """
    metrics = Metrics.model_validate_json((evaluation / METRICS_FILE).read_text())
    with TemporaryDirectory() as work:
        found = champion(tracking, output, Path(work)) if settings.compare_champion else None
        comparison = _compare(bundle, dataset, evaluation, metrics, found) if found else None
    verdict = judge(metrics, settings, comparison)
    log_verdict(tracking, output, bundle, verdict.reason or "passed")
    return verdict


def _compare(bundle: Path, dataset: Path, evaluation: Path, metrics: Metrics, found: Champion) -> Comparison:
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.evaluation.compare.paired import Comparison
    from phytoflow.evaluation.gate.champion import compare_on

    if Bundle.load(bundle).manifest.version == Bundle.load(found.path).manifest.version:
        return Comparison(found.version, identical=True)
    return compare_on(
        found.path,
        Dataset.open(dataset).photos("test"),
        PhotoPredictions.read(evaluation),
        version=found.version,
        settings=EvaluationSettings(confidence_level=metrics.confidence),
        seed=metrics.seed,
    )
