"""How many known photos are refused, and how many strangers are noticed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.data.ingest.walk import walk
from phytoflow.data.sources.resolve import localise_source
from phytoflow.errors import DataError, PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.ood.metrics import auroc, fpr95
from phytoflow.system.progress import track

_BATCH = 32


class StrangerFigures(BaseModel):
    """On photos of a folder that shows none of the classes.

    Attributes:
        photos: Strangers asked.
        auroc: Chance that a stranger is stranger than a test photo.
        fpr95: Share of strangers taken for known where 95% of the test photos are.
        accepted: Share taken for known by the bundle's own threshold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    auroc: float
    fpr95: float
    accepted: float


class OpenSetFigures(BaseModel):
    """What the bundle does about photos of something else.

    Attributes:
        method: Its score of strangeness.
        refused: Share of the test photos that it takes for strangers.
        near: AUROC against classes left out, when the score was chosen; None with fewer than three classes.
        far: AUROC against made-up pictures, likewise.
        strangers: On a folder of strangers, where one was given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    refused: float
    near: float | None
    far: float
    strangers: StrangerFigures | None = None


def measure_open_set(
    classifier: Classifier, novelty: NDArray[np.float64] | None, strangers: str
) -> OpenSetFigures | None:
    """Figures of a bundle with open-set statistics; None for one without.

    Args:
        classifier: The bundle.
        novelty: Of the test photos, float64 [N].
        strangers: Where strangers are, as photos to train on are given; may be empty.

    Raises:
        DataError: There is no readable photo.
        StorageError: They cannot be brought here.
    """
    chosen = classifier.bundle.manifest.ood
    if chosen is None or novelty is None:
        return None
    figures = chosen.scores[chosen.method]
    return OpenSetFigures(
        method=chosen.method,
        refused=float((novelty > 1).mean()),
        near=figures.near,
        far=figures.far,
        strangers=_against(novelty, _novelty_of(classifier, strangers)) if strangers else None,
    )


def _against(known: NDArray[np.float64], strange: NDArray[np.float64]) -> StrangerFigures:
    return StrangerFigures(
        photos=len(strange),
        auroc=auroc(known, strange),
        fpr95=fpr95(known, strange),
        accepted=float((strange <= 1).mean()),
    )


def stranger_files(folder: Path) -> list[Path]:
    """Photos below a folder, in class folders or not; raises DataError where there are none."""
    files = [found.file for found in walk(folder) if not found.skipped]
    if not files:
        raise _none_in(folder)
    return files


def _none_in(place: Path | str) -> DataError:
    remedy = "give a folder of photos that show none of the classes"
    return DataError(f"evaluation.ood_data: no readable photo in {place}", remedy=remedy)


def _novelty_of(classifier: Classifier, strangers: str) -> NDArray[np.float64]:
    with tempfile.TemporaryDirectory(prefix="phytoflow-strangers-") as home:
        folder = localise_source(strangers, Path(home))
        files = stranger_files(folder)
        starts = range(0, len(files), _BATCH)
        parts = [_asked(classifier, files[i : i + _BATCH]) for i in track(starts, "Asking strangers")]
    found = np.array([value for part in parts for value in part])
    if not len(found):
        raise _none_in(strangers)  # not where they were brought to
    return found


def _asked(classifier: Classifier, files: Sequence[Path]) -> list[float]:
    """Novelty of the files that are readable photos."""
    try:
        novelty = classifier.predict([file.read_bytes() for file in files]).novelty
        assert novelty is not None
        return novelty.tolist()
    except PhotoError:
        return [] if len(files) == 1 else [value for file in files for value in _asked(classifier, [file])]
