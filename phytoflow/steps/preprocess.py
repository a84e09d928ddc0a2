"""The preprocess step: makes a dataset of photos."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from phytoflow.steps.context import WORK_VARIABLE
from phytoflow.steps.settings import PreprocessStepSettings


def preprocess(data: str, settings: PreprocessStepSettings, output: Path, parts: Sequence[Path] = ()) -> None:
    """Checks, groups, splits and shards photos.

    Args:
        data: Where the photos are.
        settings: What the step reads.
        output: Folder of the dataset to write.
        parts: Tables of all parts of the photos, if they were scanned before.
    """
    from phytoflow.data.parts.scanned import Scanned
    from phytoflow.data.prepare import prepare
    from phytoflow.models.factory import preprocessing_for

    # A run's folder keeps finished parts when the run is killed; the step's own folder is new in each run.
    work = os.environ.get(WORK_VARIABLE)
    unfinished = Path(work) / "parts" if work else output.with_name(f".{output.name}.parts")
    scanned = Scanned(parts) if parts else Scanned(folder=unfinished)
    prepare(data, settings.data, preprocessing_for(settings.model), settings.seed, output, scanned)
