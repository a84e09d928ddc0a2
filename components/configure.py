"""Settle every setting before anything is spent."""

from typing import NamedTuple

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def configure(data: str, preset: str, seed: int, overrides: str, output: str) -> NamedTuple(  # type: ignore[valid-type]
    "Plan",
    [
        ("settings", str),
        ("for_preprocess", str),
        ("for_train", str),
        ("for_evaluate", str),
        ("data_version", str),
        ("code_version", str),
    ],
):
    """Checks the settings and notes the versions of photos and code.

    Args:
        data: Where the photos are: a folder, s3://bucket/prefix, or sample.
        preset: default, fast, accurate, low-memory or production.
        seed: Seed of the split, the augmentation and the training.
        overrides: YAML of further settings, e.g. "training: {cached_views: 2}".
        output: Folder or s3:// prefix of the run.
    """
    from phytoflow.steps.configure import configure as settle
    from phytoflow.steps.configure import section
    from phytoflow.steps.context import step

    with step("configure"):
        plan = settle(data, preset, seed, overrides, output)
        return (
            plan.settings,
            section(plan.settings, "seed", "data", "model"),
            section(plan.settings, "seed", "model", "training", "tracking"),
            section(plan.settings, "seed", "evaluation", "tracking"),
            plan.data_version,
            plan.code_version,
        )
