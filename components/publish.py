"""Bundle to an answering predictor."""

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
    """Starts the predictor, asks it real photos over V2, and makes the version champion.

    Args:
        registered: From the register step.
        dataset: From the preprocess step; some of its test photos are asked.
        version: From the register step.
        settings: All settings, as JSON.
        output: Folder of the run; the predictor's state and log are kept below it.

    Returns:
        URL of the predictor.
    """
    from pathlib import Path

    from phytoflow import steps
    from phytoflow.step import step

    with step("publish"):
        return steps.publish(Path(registered.path), version, Path(dataset.path), settings, output).url
