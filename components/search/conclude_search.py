"""Concludes a search."""

from typing import List  # noqa: UP035 (kfp's syntax)

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def conclude_search(
    dataset: dsl.Input[dsl.Dataset],
    search: dsl.Input[dsl.Artifact],
    workers: List[str],  # noqa: UP006 (kfp's syntax)
    output: str,
    page: dsl.Output[dsl.HTML],
) -> str:
    """Compares the best trial with the starting settings on test photos that no trial saw.

    Args:
        dataset: From the preprocess step.
        search: From the step that opened the search.
        workers: Names of the workers, which have all ended.
        output: Folder or s3:// prefix of the run; best.yaml and search.html are delivered there.
        page: Importance of the settings, every trial, and the comparison.

    Returns:
        The best settings as YAML.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.search.conclude_search import conclude_search
    from phytoflow.steps.search.settings import OpenedSearch

    with step("conclude_search"):
        opened = OpenedSearch.from_json(Path(search.path).read_text())
        return conclude_search(Path(dataset.path), opened, output, Path(page.path))
