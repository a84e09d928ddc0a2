"""The evaluate step: metrics, charts and the report of a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.steps.settings import EvaluateStepSettings
from phytoflow.system.threads import make_idle_openmp_threads_sleep

if TYPE_CHECKING:
    from phytoflow.evaluation.report.kfp_views import KfpViews


def evaluate(
    bundle: Path, dataset: Path, model: Path, settings: EvaluateStepSettings, evaluation: Path, output: str
) -> KfpViews:
    """Evaluates a bundle on the dataset's test photos, and records the result in MLflow.

    Args:
        bundle: Folder of the bundle.
        dataset: Folder of the dataset; its photos are as they came.
        model: The trained model's folder, for training curves and attention.
        settings: What the step reads.
        evaluation: Folder to write.
        output: The run's folder or prefix: MLflow's files are there if no server is named.

    Returns:
        The evaluation as plain data for KFP's views.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.evaluation.evaluate import TrainingFolders
    from phytoflow.evaluation.evaluate import evaluate as evaluate_bundle
    from phytoflow.evaluation.report.kfp_views import kfp_views
    from phytoflow.tracking.evaluation_run import log_evaluation

    data = Dataset.open(dataset)
    evaluate_bundle(
        bundle,
        data.photos("test"),
        settings.evaluation,
        evaluation,
        settings.seed,
        total=data.count("test"),
        training=TrainingFolders(data, model),
    )
    views = kfp_views(evaluation)
    result = views.markdown.splitlines()[0].removeprefix("# ")
    accepted = log_evaluation(settings.tracking, output, bundle, evaluation, views.scalars, result)
    return replace(views, scalars=accepted)  # Kubeflow's store does not take every name, either
