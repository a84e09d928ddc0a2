"""Checks all settings, before anything expensive starts."""

from typing import NamedTuple

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def configure(data: str, preset: str, seed: int, overrides: str, output: str) -> NamedTuple(  # type: ignore[valid-type]
    "Plan",
    [
        ("for_preprocess", str),
        ("for_train", str),
        ("for_export", str),
        ("for_evaluate", str),
        ("for_gate", str),
        ("for_register", str),
        ("for_publish", str),
        ("data_version", str),
        ("external_data_version", str),
        ("ood_data_version", str),
        ("code_version", str),
    ],
):
    """Checks the settings, hands each step its own, and notes the versions of photos and code.

    Args:
        data: Where the photos are: a folder, s3://bucket/prefix, or sample.
        preset: default, fast, accurate, low-memory or production.
        seed: Seed of the split, the augmentation and the training.
        overrides: YAML of further settings, e.g. "training: {cached_views: 2}".
        output: Folder or s3:// prefix of the run.
    """
    from phytoflow.steps import settings as of_steps
    from phytoflow.steps.configure import configure as settle
    from phytoflow.steps.context import step

    with step("configure"):
        plan = settle(data, preset, seed, overrides, output)
        return (
            of_steps.PreprocessStepSettings.of(plan.settings).to_json(),
            of_steps.TrainStepSettings.of(plan.settings).to_json(),
            of_steps.ExportStepSettings.of(plan.settings).to_json(),
            of_steps.EvaluateStepSettings.of(plan.settings).to_json(),
            of_steps.GateStepSettings.of(plan.settings).to_json(),
            of_steps.RegisterStepSettings.of(plan.settings).to_json(),
            of_steps.PublishStepSettings.of(plan.settings).to_json(),
            plan.data_version,
            plan.external_data_version,
            plan.ood_data_version,
            plan.code_version,
        )
