"""Works on a search."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def work_on_search(
    dataset: dsl.Input[dsl.Dataset], search: dsl.Input[dsl.Artifact], worker: int, output: str
) -> str:
    """Runs trials until the budget is spent; a killed or retried worker repeats its last trial and goes on.

    Args:
        dataset: From the preprocess step.
        search: From the step that opened the search.
        worker: Number of the worker, from 0.
        output: Folder or s3:// prefix of the run.

    Returns:
        Name of the worker.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.search.settings import OpenedSearch
    from phytoflow.steps.search.work_on_search import work_on_search

    with step("work_on_search"):
        opened = OpenedSearch.from_json(Path(search.path).read_text())
        return work_on_search(Path(dataset.path), opened, worker, output)
