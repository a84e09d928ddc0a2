"""The first step of a search: what it will do, settled and checked before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.steps.configure import configure, merge_parameters
from phytoflow.steps.search.place import study_place
from phytoflow.steps.search.settings import SearchStepSettings
from phytoflow.steps.settings import PreprocessStepSettings
from phytoflow.tuning.settings import SearchSettings
from phytoflow.tuning.storage import open_one_at_a_time


@dataclass(frozen=True)
class SearchConfiguration:
    """What a search will do.

    Attributes:
        preprocess: What the preprocess step reads: photos large enough for each network of the search.
        search: What the steps of the search read.
        data_version: Changes when the photos do.
        code_version: Changes when the code does.
    """

    preprocess: PreprocessStepSettings
    search: SearchStepSettings
    data_version: str
    code_version: str


def configure_search(
    data: str, preset: str, seed: int, overrides: str, search: str, output: str
) -> SearchConfiguration:
    """Checks the settings of a run and of its search, and that the study's database answers.

    Args:
        data: Where the photos are.
        preset: Name of a preset of settings.
        seed: Seed of the run.
        overrides: YAML of further settings.
        search: YAML of search settings.
        output: Folder or s3:// prefix of the run.

    Raises:
        ConfigError: A wrong key or value, nothing to vary, or no study can be opened.
        DataError: See ``configure``.
        DeployError: See ``configure``.
    """
    run = configure(data, preset, seed, overrides, output)
    settings = SearchStepSettings(
        overrides=dict(merge_parameters(preset, seed, overrides).tree), search=SearchSettings.parse(search)
    )
    plan = settings.plan
    with open_one_at_a_time(study_place(output).storage):
        pass
    return SearchConfiguration(
        preprocess=PreprocessStepSettings.of(plan.largest_settings),
        search=settings,
        data_version=run.data_version,
        code_version=run.code_version,
    )
