"""Makes a dataset of photos that were scanned in parts."""

from typing import List  # noqa: UP035 (kfp's syntax)

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def merge(
    data: str,
    code_version: str,
    settings: str,
    parts: dsl.Input[List[dsl.Dataset]],  # noqa: UP006 (kfp's syntax)
    dataset: dsl.Output[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
) -> None:
    """Validates, groups, splits and shards the photos: what preprocess does after its scan.

    Args:
        data: Where the photos are.
        code_version: Changes when the code does.
        settings: What the preprocess step reads of the run's settings, as JSON.
        parts: Tables of all parts; their order and number do not matter.
        dataset: Shards, photos.csv, class_mapping.json and findings.
        page: A look at the data.
    """
    import shutil
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.preprocess import preprocess
    from phytoflow.steps.settings import PreprocessStepSettings

    with step("merge"):
        tables = [Path(part.path) for part in parts]
        preprocess(data, PreprocessStepSettings.from_json(settings), Path(dataset.path), tables)
        shutil.copyfile(Path(dataset.path) / "data.html", page.path)
