"""The step of one worker: trials of the shared study until the budget is spent."""

from __future__ import annotations

import logging
from pathlib import Path

from phytoflow.steps.search.place import study_place, work_folder
from phytoflow.steps.search.settings import OpenedSearch
from phytoflow.system.threads import make_idle_openmp_threads_sleep

_LOG = logging.getLogger(__name__)


def work_on_search(dataset: Path, search: OpenedSearch, worker: int, output: str) -> str:
    """Runs trials; a worker that is started again repeats the trial that it was running, and goes on.

    Args:
        dataset: Folder that the preprocess step wrote.
        search: From the open step.
        worker: Number of the worker, from 0.
        output: The run's folder or prefix.

    Returns:
        Name of the worker.

    Raises:
        ConfigError: The study cannot be opened.
    """
    make_idle_openmp_threads_sleep()
    from phytoflow.data.shards.dataset import Dataset
    from phytoflow.tuning.search import work
    from phytoflow.tuning.trial import ParentRun

    name = f"worker-{worker}"
    parent = ParentRun(search.run_id, output)
    with work_folder(output, name) as folder:
        work(Dataset.open(dataset), search.settings.plan, folder, study_place(output, name), parent)
    _LOG.info("%s has ended: the budget is spent", name)
    return name
