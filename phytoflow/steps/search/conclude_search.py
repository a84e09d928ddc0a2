"""The last step of a search: the best trial is judged, and its settings are handed to the run."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from phytoflow.steps.search.place import study_place, work_folder
from phytoflow.steps.search.settings import OpenedSearch
from phytoflow.storage.uri import join, put_file
from phytoflow.system.threads import make_idle_openmp_threads_sleep

_LOG = logging.getLogger(__name__)


def conclude_search(dataset: Path, search: OpenedSearch, output: str, page: Path) -> str:
    """Trains with the best trial's settings and the starting ones, and compares both on the test photos.

    ``best.yaml`` and ``search.html`` are delivered to the output.

    Args:
        dataset: Folder that the preprocess step wrote.
        search: From the open step.
        output: The run's folder or prefix.
        page: The page to write.

    Returns:
        The best settings as YAML.

    Raises:
        ConfigError: No trial is complete or within the limits of cost.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tracking.tracker import Tracker
    from phytoflow.tuning import search as searches
    from phytoflow.tuning.conclude import BEST_FILE, PAGE_FILE
    from phytoflow.tuning.trial import ParentRun

    plan, data, place = search.settings.plan, Dataset.open(dataset), study_place(output)
    parent = ParentRun(search.run_id, output)
    with (
        work_folder(output, "conclusion") as folder,
        Tracker.open(plan.settings.tracking, output, run_id=search.run_id) as tracker,
    ):
        result = searches.conclude_search(data, plan, folder, place, parent, tracker)
        _LOG.info("%s", result.describe())
        for file in (BEST_FILE, PAGE_FILE):
            put_file(folder / file, join(output, file))
        shutil.copyfile(folder / PAGE_FILE, page)
        return (folder / BEST_FILE).read_text(encoding="utf-8")
