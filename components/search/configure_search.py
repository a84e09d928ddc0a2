"""Checks all settings of a run that begins with a search, before anything expensive starts."""

from typing import NamedTuple

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def configure_search(
    data: str, preset: str, seed: int, overrides: str, search: str, output: str
) -> NamedTuple(  # type: ignore[valid-type]
    "SearchPlan",
    [("for_preprocess", str), ("for_search", str), ("data_version", str), ("code_version", str)],
):
    """Checks the settings, and that the study's database answers; notes the versions of photos and code.

    Args:
        data: Where the photos are: a folder, s3://bucket/prefix, or sample.
        preset: default, fast, accurate, low-memory or production.
        seed: Seed of the split, the augmentation and the training.
        overrides: YAML of further settings, which are not varied.
        search: YAML of search settings, e.g. "{preset: full, trials: 50}".
        output: Folder or s3:// prefix of the run.
    """
    from phytoflow.steps.context import step
    from phytoflow.steps.search.configure_search import configure_search

    with step("configure_search"):
        plan = configure_search(data, preset, seed, overrides, search, output)
        return plan.preprocess.to_json(), plan.search.to_json(), plan.data_version, plan.code_version
