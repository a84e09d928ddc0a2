"""Robustness benchmark: how much accuracy remains on corrupted photos and with other backgrounds."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phytoflow.evaluation.robustness.background_swap import masked_photos, swap_background
from phytoflow.evaluation.robustness.corruptions import CORRUPTIONS, SEVERITIES, Pixels
from phytoflow.evaluation.robustness.schema import BackgroundChange, Robustness, WorstClass, WorstGroup
from phytoflow.inference.classifier import Classifier
from phytoflow.system.cpu import cpu_count
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

_MIN_MASKED = 10  # photos; an accuracy on fewer says nothing


def measure_robustness(
    classifier: Classifier, photos: Sequence[Pixels], labels: NDArray[np.int64], seed: int
) -> Robustness:
    """Applies every corruption at every severity and classifies again.

    Args:
        classifier: The opened bundle.
        photos: uint8 [size, size, 3] each, as the network sees them.
        labels: int64 [N].
        seed: Seed of all random corruptions.
    """
    clean = _correct(classifier, photos, labels)
    table = _corrupted(classifier, photos, labels, seed)
    rows, names = table.mean(axis=2), list(CORRUPTIONS)
    return Robustness(
        photos=len(labels),
        clean=float(clean.mean()),
        accuracy={name: tuple(row) for name, row in zip(names, rows.tolist(), strict=True)},
        mean_corruption_error=float(1 - rows.mean()),
        worst_corruption=names[int(rows.mean(axis=1).argmin())],
        worst_class=_worst_class(classifier, table, labels),
        worst_group=_worst_group(classifier, table, labels),
        background=_swapped_backgrounds(classifier, photos, labels, clean, seed),
    )


def _corrupted(
    classifier: Classifier, photos: Sequence[Pixels], labels: NDArray[np.int64], seed: int
) -> NDArray[np.bool_]:
    """Which photos are classified correctly, bool [corruptions, severities, N]."""

    def run(cell: tuple[str, int]) -> NDArray[np.bool_]:
        name, severity = cell
        generator = np.random.default_rng((seed, zlib.crc32(name.encode()), severity))
        return _correct(classifier, [CORRUPTIONS[name](p, severity, generator) for p in photos], labels)

    cells = [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
    rows = list(thread_map(run, track(cells, "Measuring robustness"), cpu_count()))
    return np.array(rows).reshape(len(CORRUPTIONS), len(SEVERITIES), len(labels))


def _worst_class(classifier: Classifier, table: NDArray[np.bool_], labels: NDArray[np.int64]) -> WorstClass:
    present, means = _means_by_class(table, labels)
    worst = int(means.mean(axis=0).argmin())
    return WorstClass(label=classifier.classes[present[worst]], accuracy=float(means[:, worst].mean()))


def _worst_group(classifier: Classifier, table: NDArray[np.bool_], labels: NDArray[np.int64]) -> WorstGroup:
    present, means = _means_by_class(table, labels)
    row, column = np.unravel_index(means.argmin(), means.shape)
    label, corruption = classifier.classes[present[column]], list(CORRUPTIONS)[row]
    return WorstGroup(label=label, corruption=corruption, accuracy=float(means[row, column]))


def _means_by_class(
    table: NDArray[np.bool_], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The classes that have photos, int64 [C], and their accuracies, float64 [corruptions, C]."""
    present = np.unique(labels)
    return present, np.stack([table[:, :, labels == label].mean(axis=(1, 2)) for label in present], axis=1)


def _swapped_backgrounds(
    classifier: Classifier,
    photos: Sequence[Pixels],
    labels: NDArray[np.int64],
    clean: NDArray[np.bool_],
    seed: int,
) -> BackgroundChange | None:
    masks = masked_photos(photos)
    if len(masks) < _MIN_MASKED:
        return None
    places, accuracy = np.array(list(masks)), []
    for severity in SEVERITIES:
        generator = np.random.default_rng((seed, severity))
        swapped = [swap_background(photos[i], mask, severity, generator) for i, mask in masks.items()]
        accuracy.append(float(_correct(classifier, swapped, labels[places]).mean()))
    return BackgroundChange(photos=len(places), clean=float(clean[places].mean()), accuracy=tuple(accuracy))


def _correct(
    classifier: Classifier, photos: Sequence[Pixels], labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which photos are classified correctly, bool [N]."""
    tensor = classifier.bundle.manifest.preprocessing.normalise(np.stack(photos))
    return classifier.predict_tensor(tensor).probabilities.argmax(axis=1) == labels
