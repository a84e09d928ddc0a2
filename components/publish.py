"""Publishes a bundle."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def publish(
    registered: dsl.Input[dsl.Model],
    dataset: dsl.Input[dsl.Dataset],
    version: str,
    settings: str,
    output: str,
) -> str:
    """Serves the bundle, compares its answers over V2, and makes the version champion.

    Args:
        registered: From the register step.
        dataset: From the preprocess step; some of its test photos are sent to the predictor.
        version: From the register step.
        settings: What this step reads of the run's settings, as JSON.
        output: Folder or s3:// prefix of the run: a local predictor's state and log, or what a cluster reads.

    Returns:
        URL of the predictor.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.publish import publish
    from phytoflow.steps.settings import PublishStepSettings

    with step("publish"):
        return publish(
            Path(registered.path),
            version,
            Path(dataset.path),
            PublishStepSettings.from_json(settings),
            output,
        )
