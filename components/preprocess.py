"""Makes a dataset of photos."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def preprocess(
    data: str,
    data_version: str,
    code_version: str,
    settings: str,
    dataset: dsl.Output[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
) -> None:
    """Scans, validates, groups, splits and shards the photos.

    Args:
        data: Where the photos are.
        data_version: Changes when the photos do, so that a cached dataset is never stale.
        code_version: Changes when the code does.
        settings: What this step reads of the run's settings, as JSON.
        dataset: Shards, photos.csv, class_mapping.json and findings.
        page: A look at the data.
    """
    import shutil
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.preprocess import preprocess
    from phytoflow.steps.settings import PreprocessStepSettings

    with step("preprocess"):
        preprocess(data, PreprocessStepSettings.from_json(settings), Path(dataset.path))
        shutil.copyfile(Path(dataset.path) / "data.html", page.path)
