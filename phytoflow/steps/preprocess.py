"""The preprocess step: photos to a checked, grouped, split and sharded dataset."""

from __future__ import annotations

from pathlib import Path

from phytoflow.steps.settings import PreprocessStepSettings


def preprocess(data: str, settings: PreprocessStepSettings, output: Path) -> None:
    """Photos to a checked, grouped, split and sharded dataset folder."""
    from phytoflow.data.prepare import prepare
    from phytoflow.models.factory import preprocessing_for

    prepare(data, settings.data, preprocessing_for(settings.model), settings.seed, output)
