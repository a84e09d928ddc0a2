"""Opens a search."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def open_search(
    dataset: dsl.Input[dsl.Dataset], settings: str, output: str, search: dsl.Output[dsl.Artifact]
) -> None:
    """Creates the study and the search's run in MLflow, or opens those of an earlier attempt.

    Args:
        dataset: From the preprocess step.
        settings: The search, as JSON.
        output: Folder or s3:// prefix of the run, which names the study.
        search: What the workers need to know, a JSON file.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.search.open_search import open_search
    from phytoflow.steps.search.settings import SearchStepSettings

    with step("open_search"):
        opened = open_search(Path(dataset.path), SearchStepSettings.from_json(settings), output)
        Path(search.path).write_text(opened.to_json())
