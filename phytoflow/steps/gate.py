"""The gate step: is the model good enough to publish?"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.prepare import PAGE_FILE
from phytoflow.errors import GateError
from phytoflow.evaluation.gate.conditions import Verdict, judge
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.outcome import RunOutcome
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.report.html import REPORT_FILE
from phytoflow.evaluation.results import METRICS_FILE, Metrics, read_metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.steps.report import deliver_outcome, tracked_run
from phytoflow.steps.settings import GateStepSettings
from phytoflow.storage.temporary import temporary_folder
from phytoflow.storage.uri import join, put_file
from phytoflow.tracking.evaluation_run import log_verdict
from phytoflow.tracking.registry import Champion, champion
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from phytoflow.evaluation.gate.champion import ChampionComparison

_LOG = logging.getLogger(__name__)


def gate(bundle: Path, dataset: Path, evaluation: Path, settings: GateStepSettings, output: str) -> Verdict:
    """Judges a bundle and delivers metrics, report and data page to ``output``.

    Args:
        bundle: Folder of the bundle.
        dataset: Folder of the dataset that it was evaluated on.
        evaluation: Folder that the evaluate step wrote.
        settings: What the step reads.
        output: The run's folder or prefix.
    """
    verdict = judge_bundle(bundle, dataset, evaluation, settings.gate, settings.tracking, output)
    put_file(evaluation / METRICS_FILE, join(output, METRICS_FILE))
    put_file(dataset / PAGE_FILE, join(output, PAGE_FILE))
    run = tracked_run(settings.tracking, output, bundle)
    outcome = RunOutcome(output=output, verdict=verdict, tracked_run=run)
    deliver_outcome(outcome, (evaluation / REPORT_FILE).read_bytes(), bundle, settings.tracking, output)
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
    """Judges a bundle by its evaluation and against the champion of the registry.

    The verdict is recorded in MLflow with the run that trained the bundle.

    Args:
        bundle: Folder of the challenger.
        dataset: Folder of the dataset that it was evaluated on.
        evaluation: Folder that the evaluate step wrote.
        settings: The limits.
        tracking: Where the registry is.
        output: Holds the registry if ``tracking.uri`` is empty.

    Raises:
        TrackingError: The registry cannot be reached, or the champion's bundle no longer exists.
        BundleError: A bundle is damaged.
    """
    metrics = read_metrics(evaluation)
    with temporary_folder() as work:
        current = champion(tracking, output, work) if settings.compare_champion else None
        comparison = _compare(bundle, dataset, evaluation, metrics, current) if current else None
    verdict = judge(metrics, settings, comparison)
    log_verdict(tracking, output, bundle, verdict.reason or "passed")
    return verdict


def _compare(
    bundle: Path, dataset: Path, evaluation: Path, metrics: Metrics, current: Champion
) -> ChampionComparison:
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.evaluation.gate.champion import ChampionComparison, compare_with_champion

    if Bundle.load(bundle).manifest.version == Bundle.load(current.path).manifest.version:
        return ChampionComparison(current.version, identical=True)
    return compare_with_champion(
        current.path,
        Dataset.open(dataset).photos("test"),
        PhotoPredictions.read(evaluation),
        version=current.version,
        settings=EvaluationSettings(confidence_level=metrics.confidence_level),
        seed=metrics.seed,
    )
