"""How much of the accuracy is left under the conditions of the field."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.data.parallel import thread_map
from phytoflow.evaluation.corruptions import CORRUPTIONS, SEVERITIES, Pixels
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.cpus import cpu_count
from phytoflow.progress import track


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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    clean: float
    accuracy: dict[str, tuple[float, ...]]
    mean_corruption_error: float
    worst_corruption: str
    worst_class: tuple[str, float]

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
    rows = table.mean(axis=2)
    of_class = {int(label): float(table[:, :, labels == label].mean()) for label in np.unique(labels)}
    worst = min(of_class, key=lambda label: of_class[label])
    names = list(CORRUPTIONS)
    return Robustness(
        photos=len(labels),
        clean=float(_asked(classifier, photos, labels).mean()),
        accuracy={name: tuple(row) for name, row in zip(names, rows.tolist(), strict=True)},
        mean_corruption_error=float(1 - rows.mean()),
        worst_corruption=names[int(rows.mean(axis=1).argmin())],
        worst_class=(classifier.classes[worst], of_class[worst]),
    )


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
