"""The preprocess step: photos to a checked, grouped, split and sharded dataset."""

from __future__ import annotations

from pathlib import Path

from phytoflow.steps.context import read_settings


def preprocess(data: str, settings: str, output: Path) -> None:
    """Photos to a checked, grouped, split and sharded dataset folder."""
    from phytoflow.data.prepare import prepare
    from phytoflow.models.factory import preprocessing_for

    chosen = read_settings(settings)
    prepare(data, chosen.data, preprocessing_for(chosen.model), chosen.seed, output)
