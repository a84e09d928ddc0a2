"""Out-of-distribution (OOD) detection: false positives on test photos, detected OOD photos."""

from __future__ import annotations

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


class ExternalOodMetrics(BaseModel):
    """OOD detection on a folder of photos that show none of the classes.

    Attributes:
        photos: Number of OOD photos.
        auroc: Probability that an OOD photo has a higher novelty than a test photo.
        fpr95: Share of OOD photos accepted at the threshold that accepts 95% of the test photos.
        accepted: Share of OOD photos accepted at the bundle's own threshold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    auroc: float
    fpr95: float
    accepted: float


class OodMetrics(BaseModel):
    """OOD detection of a bundle.

    Attributes:
        method: Name of the novelty score.
        false_positive_rate: Share of the test photos, which show known classes, that are called unknown.
        near: AUROC against held-out classes (near-OOD), measured when the score was selected; None with fewer
            than three classes.
        far: AUROC against synthetic pictures (far-OOD), measured when the score was selected.
        external: Metrics on ``evaluation.ood_data``; None if that is not set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    false_positive_rate: float
    near: float | None
    far: float
    external: ExternalOodMetrics | None = None


def measure_ood(
    classifier: Classifier, novelty: NDArray[np.float64] | None, ood_data: str, work: Path
) -> OodMetrics | None:
    """Measures OOD detection; returns None for a bundle without OOD statistics.

    Args:
        classifier: The opened bundle.
        novelty: float64 [N], novelty of the test photos; above 1 is unknown.
        ood_data: Folder or URI of OOD photos, as training data are given; may be empty.
        work: Folder for photos that are not local yet.

    Raises:
        DataError: ``ood_data`` holds no readable photo.
        StorageError: ``ood_data`` cannot be fetched.
    """
    statistics = classifier.bundle.manifest.ood
    if statistics is None or novelty is None:
        return None
    selected = statistics.scores[statistics.method]
    return OodMetrics(
        method=statistics.method,
        false_positive_rate=float((novelty > 1).mean()),
        near=selected.near,
        far=selected.far,
        external=_measure_external(classifier, novelty, ood_data, work) if ood_data else None,
    )


def ood_files(folder: Path) -> list[Path]:
    """Lists the photos below a folder, in class folders or not; raises DataError if there are none."""
    files = [entry.file for entry in walk(folder) if not entry.skipped]
    if not files:
        raise _no_photo(folder)
    return files


def _measure_external(
    classifier: Classifier, known: NDArray[np.float64], ood_data: str, work: Path
) -> ExternalOodMetrics:
    unknown = _novelty_of(classifier, ood_data, work)
    return ExternalOodMetrics(
        photos=len(unknown),
        auroc=auroc(known, unknown),
        fpr95=fpr95(known, unknown),
        accepted=float((unknown <= 1).mean()),
    )


def _novelty_of(classifier: Classifier, ood_data: str, work: Path) -> NDArray[np.float64]:
    files = ood_files(localise_source(ood_data, work / "ood"))
    starts = track(range(0, len(files), _BATCH), "Evaluating OOD photos")
    novelty = [value for i in starts for value in _novelty(classifier, files[i : i + _BATCH])]
    if not novelty:
        raise _no_photo(ood_data)  # the address that was given, not the temporary folder
    return np.array(novelty)


def _novelty(classifier: Classifier, files: Sequence[Path]) -> list[float]:
    """Novelty of those files that are readable photos; a batch with a broken one is retried one by one."""
    try:
        novelty = classifier.predict([file.read_bytes() for file in files]).novelty
    except PhotoError:
        if len(files) == 1:
            return []
        return [value for file in files for value in _novelty(classifier, [file])]
    assert novelty is not None  # the bundle has OOD statistics
    return novelty.tolist()


def _no_photo(place: Path | str) -> DataError:
    remedy = "give a folder of photos that show none of the classes"
    return DataError(f"evaluation.ood_data: no readable photo in {place}", remedy=remedy)
