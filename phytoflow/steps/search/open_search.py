"""The step that creates a search's study and its run in MLflow, before workers begin."""

from __future__ import annotations

from pathlib import Path

from phytoflow.steps.search.place import study_place
from phytoflow.steps.search.settings import OpenedSearch, SearchStepSettings
from phytoflow.system.threads import make_idle_openmp_threads_sleep


def open_search(dataset: Path, settings: SearchStepSettings, output: str) -> OpenedSearch:
    """Creates the study with the starting settings as its first trial, or opens that of an earlier attempt.

    Args:
        dataset: Folder that the preprocess step wrote.
        settings: The search.
        output: The run's folder or prefix.

    Raises:
        ConfigError: The output's study is of another search, or no network is within the limits of cost.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tuning import search

    tracker = search.open_search(Dataset.open(dataset), settings.plan, output, study_place(output))
    return OpenedSearch(settings=settings, run_id=tracker.run_id)
