"""Trains a model."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def train(
    dataset: dsl.Input[dsl.Dataset],
    code_version: str,
    settings: str,
    output: str,
    model: dsl.Output[dsl.Model],
) -> None:
    """Trains the head, then the last blocks; a killed or retried step resumes from its checkpoints.

    Args:
        dataset: From the preprocess step.
        code_version: Changes when the code does, so that a cached model is never stale.
        settings: What this step reads of the run's settings, as JSON.
        output: Folder or s3:// prefix of the run; it holds the checkpoints.
        model: Weights (safetensors), model.json, history and curves.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.settings import TrainStepSettings
    from phytoflow.steps.train import train

    with step("train"):
        train(Path(dataset.path), TrainStepSettings.from_json(settings), Path(model.path), output)
