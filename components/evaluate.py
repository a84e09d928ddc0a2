"""Metrics and report of a bundle on the test photos."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def evaluate(
    bundle: dsl.Input[dsl.Model],
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    external_data_version: str,
    ood_data_version: str,
    code_version: str,
    settings: str,
    output: str,
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    classification: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Measures the exported model as it will be served: from a photo's bytes to its probabilities.

    Args:
        bundle: From the export step.
        dataset: From the preprocess step; its test photos are as they came.
        model: From the train step, for the training curves.
        external_data_version: Changes when the photos of the external test set do.
        ood_data_version: Changes when the out-of-distribution photos do.
        code_version: Changes when the code does, so that cached metrics are never stale.
        settings: What this step reads of the run's settings, as JSON.
        output: Folder or s3:// prefix of the run; MLflow's files are there if no server is named.
        evaluation: metrics.json, report.html, predictions.csv, model card and charts.
        metrics: All scalars under the names of metrics.json, in KFP's own view.
        classification: Confusion matrix and ROC, in KFP's own view.
        report: The report.
        summary: The result in a few lines.
    """
    import shutil
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.evaluate import evaluate
    from phytoflow.steps.settings import EvaluateStepSettings

    with step("evaluate"):
        views = evaluate(
            Path(bundle.path),
            Path(dataset.path),
            Path(model.path),
            EvaluateStepSettings.from_json(settings),
            Path(evaluation.path),
            output,
        )
        for name, value in views.scalars.items():
            metrics.log_metric(name, value)
        classification.log_confusion_matrix(views.classes, views.confusion_matrix)
        classification.log_roc_curve(*views.roc)
        shutil.copyfile(Path(evaluation.path) / "report.html", report.path)
        Path(summary.path).write_text(views.markdown)
