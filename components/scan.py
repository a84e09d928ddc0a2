"""Reads one part of the photos."""

from kfp import dsl

from components.image import PLACEHOLDER


@dsl.component(base_image=PLACEHOLDER, install_kfp_package=False)
def scan(
    data: str,
    data_version: str,
    code_version: str,
    settings: str,
    part: int,
    parts: int,
    rows: dsl.Output[dsl.Dataset],
) -> None:
    """Reads, checks and hashes the photos of one part; a part that is done is not done again.

    Args:
        data: Where the photos are.
        data_version: Changes when the photos do, so that a cached part is never stale.
        code_version: Changes when the code does.
        settings: What the preprocess step reads of the run's settings, as JSON.
        part: Number of the part, from 0.
        parts: How many there are.
        rows: The part's table, a Parquet file.
    """
    from pathlib import Path

    from phytoflow.steps.context import step
    from phytoflow.steps.scan import scan
    from phytoflow.steps.settings import PreprocessStepSettings

    with step("scan"):
        scan(data, data_version, PreprocessStepSettings.from_json(settings), part, parts, Path(rows.path))
