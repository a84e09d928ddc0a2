"""Evidently's report: each watched value of the newest photos next to the reference, in detail.

It explains an alarm and raises none: its tests know nothing of earlier photos, so that false alarms add up.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phytoflow.errors import ConfigError
from phytoflow.monitoring.observations import WATCHED, Observations
from phytoflow.monitoring.reference import Reference
from phytoflow.storage.atomic import atomic_file

if TYPE_CHECKING:
    import pandas as pd


def check_evidently() -> None:
    """Imports Evidently, which would report its use otherwise.

    Raises:
        ConfigError: It is not installed.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    try:
        importlib.import_module("evidently")
    except ModuleNotFoundError as error:
        what = f"the detailed page needs Evidently: {error}"
        raise ConfigError(what, remedy="install phytoflow[evidently], or use the image `monitor`") from error


def write_evidently_report(reference: Reference, photos: Observations, file: Path) -> None:
    """Writes the page, an HTML file of a few megabytes that loads nothing from elsewhere.

    Args:
        reference: The reference.
        photos: The photos to compare.
        file: Where to write; it is whole or as it was.

    Raises:
        ConfigError: Evidently is not installed.
    """
    check_evidently()
    presets, report = (importlib.import_module(name) for name in ("evidently.presets", "evidently"))
    frames = [to_frame(photos, reference.classes), to_frame(reference.observations, reference.classes)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its tests on small samples
        snapshot = report.Report([presets.DataDriftPreset()]).run(*_without_empty(frames))
    with atomic_file(file) as partial:
        snapshot.save_html(str(partial))


def to_frame(photos: Observations, classes: Sequence[str]) -> pd.DataFrame:
    """The watched values and the predicted class, a row for each photo."""
    import pandas as pd  # only this page needs it

    frame = pd.DataFrame(photos.watched, columns=list(WATCHED))
    return frame.assign(label=[classes[label] for label in photos.label])


def _without_empty(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Leaves out columns that a side lacks, such as features of photos whose predictor gave none."""
    filled = [set(frame.columns[frame.notna().any()]) for frame in frames]
    columns = [name for name in frames[0].columns if all(name in names for names in filled)]
    return [frame[columns] for frame in frames]
