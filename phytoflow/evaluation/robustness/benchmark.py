"""How much of the accuracy is left under the conditions of the field."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.robustness.background_swap import masked_photos, other_background
from phytoflow.evaluation.robustness.corruptions import CORRUPTIONS, SEVERITIES, Pixels
from phytoflow.inference.classifier import Classifier
from phytoflow.system.cpu import cpu_count
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

_FEWEST_MASKED = 10  # photos


class BackgroundChange(BaseModel):
    """Accuracies with another background, 0..1, on the photos whose leaf can be told from their own.

    Attributes:
        photos: How many can.
        clean: Accuracy on them as they are.
        accuracy: At severities 1 to 5.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    clean: float
    accuracy: tuple[float, ...]


class Robustness(BaseModel):
    """Accuracies under corruption, 0..1.

    Attributes:
        photos: Test photos corrupted.
        clean: Accuracy on them as they are.
        accuracy: For each corruption, at severities 1 to 5.
        mean_corruption_error: Mean error over corruptions and severities (Hendrycks & Dietterich 2019; theirs
            is divided by AlexNet's, for which there is no such network here).
        worst_corruption: The one with the lowest mean accuracy.
        worst_class: The class with the lowest mean accuracy under corruption, and that accuracy.
        worst_group: The class and the corruption under which it has the lowest mean accuracy of all such
            pairs (Sagawa et al. 2020), and that accuracy.
        background: With other backgrounds; not in the means, as only photos with a mask can be asked. None
            where they are too few.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    clean: float
    accuracy: dict[str, tuple[float, ...]]
    mean_corruption_error: float
    worst_corruption: str
    worst_class: tuple[str, float]
    worst_group: tuple[str, str, float]
    background: BackgroundChange | None = None

    @property
    def lost(self) -> float:
        """Accuracy lost to corruption, on average."""
        return self.mean_corruption_error - (1 - self.clean)


def measure_robustness(
    classifier: Classifier, photos: Sequence[Pixels], labels: NDArray[np.int64], seed: int
) -> Robustness:
    """Corrupts photos in every way and asks again.

    Args:
        classifier: The opened bundle.
        photos: uint8 [size, size, 3] each, as the network sees them.
        labels: int64 [N].
        seed: Of every draw.
    """
    cells = [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
    shown = track(cells, "Robustness")
    right = list(thread_map(lambda cell: _right(classifier, photos, labels, cell, seed), shown, cpu_count()))
    table = np.array(right).reshape(len(CORRUPTIONS), len(SEVERITIES), len(labels))
    rows, names = table.mean(axis=2), list(CORRUPTIONS)
    clean = _asked(classifier, photos, labels)
    classes, groups = _by_class(table, labels)
    worst, (row, column) = int(groups.mean(axis=0).argmin()), np.unravel_index(groups.argmin(), groups.shape)
    return Robustness(
        photos=len(labels),
        clean=float(clean.mean()),
        accuracy={name: tuple(row) for name, row in zip(names, rows.tolist(), strict=True)},
        mean_corruption_error=float(1 - rows.mean()),
        worst_corruption=names[int(rows.mean(axis=1).argmin())],
        worst_class=(classifier.classes[classes[worst]], float(groups[:, worst].mean())),
        worst_group=(classifier.classes[classes[column]], names[row], float(groups[row, column])),
        background=_background(classifier, photos, labels, clean, seed),
    )


def _by_class(
    table: NDArray[np.bool_], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Hits [corruptions, severities, N] to the classes there are [C] and means [corruptions, C]."""
    classes = np.unique(labels)
    return classes, np.stack([table[:, :, labels == label].mean(axis=(1, 2)) for label in classes], axis=1)


def _background(
    classifier: Classifier,
    photos: Sequence[Pixels],
    labels: NDArray[np.int64],
    clean: NDArray[np.bool_],
    seed: int,
) -> BackgroundChange | None:
    masks = masked_photos(photos)
    if len(masks) < _FEWEST_MASKED:
        return None
    kept = np.array(list(masks))
    found = []
    for severity in SEVERITIES:
        generator = np.random.default_rng((seed, severity))
        changed = [other_background(photos[at], mask, severity, generator) for at, mask in masks.items()]
        found.append(float(_asked(classifier, changed, labels[kept]).mean()))
    return BackgroundChange(photos=len(kept), clean=float(clean[kept].mean()), accuracy=tuple(found))


def _right(
    classifier: Classifier,
    photos: Sequence[Pixels],
    labels: NDArray[np.int64],
    cell: tuple[str, int],
    seed: int,
) -> NDArray[np.bool_]:
    name, severity = cell
    generator = np.random.default_rng((seed, zlib.crc32(name.encode()), severity))
    return _asked(classifier, [CORRUPTIONS[name](photo, severity, generator) for photo in photos], labels)


def _asked(classifier: Classifier, photos: Sequence[Pixels], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    tensor = classifier.bundle.manifest.preprocessing.normalise(np.stack(photos))
    return classifier.predict_tensor(tensor).probabilities.argmax(axis=1) == labels
