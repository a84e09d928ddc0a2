"""Exports a trained model."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def export(
    model: dsl.Input[dsl.Model],
    dataset: dsl.Input[dsl.Dataset],
    code_version: str,
    settings: str,
    bundle: dsl.Output[dsl.Model],
) -> None:
    """Exports the model to a bundle; each format must answer as the trained model does.

    Args:
        model: From the train step.
        dataset: From the preprocess step.
        code_version: Changes when the code does, so that a cached bundle is never stale.
        settings: What this step reads of the run's settings, as JSON.
        bundle: What a predictor needs, in one folder.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.export import export
    from phytoflow.steps.settings import ExportStepSettings

    with step("export"):
        export(
            Path(model.path), Path(dataset.path), ExportStepSettings.from_json(settings), Path(bundle.path)
        )
