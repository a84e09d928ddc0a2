"""The evaluate step: metrics, charts and the report of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.steps.settings import EvaluateStepSettings
from phytoflow.system.threads import make_idle_openmp_threads_sleep

if TYPE_CHECKING:
    from phytoflow.evaluation.report.kfp_views import Views


def evaluate(
    bundle: Path, dataset: Path, model: Path, settings: EvaluateStepSettings, evaluation: Path, output: str
) -> Views:
    """Figures, pictures and the report of a bundle on the dataset's test photos; all goes to MLflow too.

    Returns:
        The evaluation as plain data for KFP's views.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.evaluation.evaluate import evaluate as measure
    from phytoflow.evaluation.report.kfp_views import views
    from phytoflow.tracking.evaluation_run import log_evaluation

    data = Dataset.open(dataset)
    photos, total = data.photos("test"), data.count("test")
    curves = model / "curves.png"
    measure(
        bundle,
        photos,
        settings.evaluation,
        evaluation,
        settings.seed,
        curves=curves,
        total=total,
        dataset=data,
        model=model,
    )
    shown = views(evaluation)
    log_evaluation(settings.tracking, output, bundle, evaluation, shown.scalars)
    return shown
