"""The preprocess step: makes a dataset of photos."""

from __future__ import annotations

from pathlib import Path

from phytoflow.steps.settings import PreprocessStepSettings


def preprocess(data: str, settings: PreprocessStepSettings, output: Path) -> None:
    """Checks, groups, splits and shards photos.

    Args:
        data: Where the photos are.
        settings: What the step reads.
        output: Folder of the dataset to write.
    """
    from phytoflow.data.prepare import prepare
    from phytoflow.models.factory import preprocessing_for

    prepare(data, settings.data, preprocessing_for(settings.model), settings.seed, output)
