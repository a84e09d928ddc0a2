"""Registers a bundle."""

from typing import NamedTuple

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def register(
    bundle: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    settings: str,
    output: str,
    registered: dsl.Output[dsl.Model],
) -> NamedTuple("Registered", [("version", str)]):  # type: ignore[valid-type]
    """Adds the evaluation to the bundle, delivers it and registers it as challenger.

    Args:
        bundle: From the export step.
        evaluation: From the evaluate step.
        settings: What this step reads of the run's settings, as JSON.
        output: Folder or s3:// prefix of the run; the bundle is delivered to output/bundle.
        registered: The complete bundle.

    Returns:
        Version in the registry.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.register import register
    from phytoflow.steps.settings import RegisterStepSettings

    with step("register"):
        version = register(
            Path(bundle.path),
            Path(evaluation.path),
            RegisterStepSettings.from_json(settings),
            output,
            Path(registered.path),
        )
        return (version,)
