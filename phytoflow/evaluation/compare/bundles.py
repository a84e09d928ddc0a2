"""Compares two bundles on the same photos: `phytoflow compare`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError
from phytoflow.evaluation.compare.paired import PairedComparison, compare_paired
from phytoflow.evaluation.metrics.classification import ClassificationMetrics, measure_classification
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier

_MAX_CONFUSIONS = 6  # lines on a terminal; the page lists all


class ConfusionCounts(NamedTuple):
    """A mistake that one model makes more often than the other.

    Attributes:
        label: The true class.
        predicted: The class it is mistaken for.
        first: Number of photos on which the first model makes this mistake.
        second: Number of photos on which the second model does.
    """

    label: str
    predicted: str
    first: int
    second: int


class Disagreement(NamedTuple):
    """A photo that only one of the models classifies correctly.

    Attributes:
        path: Path of the photo.
        label: The true class.
        first: The first model's class.
        second: The second model's class.
    """

    path: str
    label: str
    first: str
    second: str


@dataclass(frozen=True)
class BundleComparison:
    """Two bundles on the same photos.

    Attributes:
        paired: Accuracies, their difference (second minus first), its interval and McNemar's test.
        metrics: All classification metrics of the first and of the second.
        confusions: Mistakes that they do not make equally often, the largest difference first.
        disagreements: Photos that only one classifies correctly.
        trained_on: Number of photos that the first, and the second, was trained on. These flatter it.
    """

    paired: PairedComparison
    metrics: tuple[ClassificationMetrics, ClassificationMetrics]
    confusions: tuple[ConfusionCounts, ...]
    disagreements: tuple[Disagreement, ...]
    trained_on: tuple[int, int]

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        if self.paired.second_is_better:
            return "The second is significantly better."
        if self.paired.second_is_worse:
            return "The first is significantly better."
        return "Inconclusive: these photos do not show which is better."


def compare_bundles(
    first: Path, second: Path, photos: Iterable[LabelledPhoto], settings: EvaluationSettings, seed: int
) -> BundleComparison:
    """Classifies every photo with both bundles.

    Args:
        first: Folder of a bundle.
        second: Folder of another with the same classes, in any order.
        photos: Labelled photos that neither was trained on; read once and kept as bytes.
        settings: Number of resamples and confidence level.
        seed: Seed of the bootstrap.

    Raises:
        DataError: The bundles have different classes, or a label is none of them.
        BundleError: A bundle is damaged or cannot be loaded.
    """
    models, labelled = (Classifier.load(first), Classifier.load(second)), list(photos)
    if different := sorted(set(models[0].classes) ^ set(models[1].classes)):
        what = f"{first} and {second} do not have the same classes: only one has {', '.join(different)}"
        raise DataError(what, remedy="compare bundles that were trained on the same classes")
    one, two = (predict_photos(model, labelled)[0] for model in models)
    return BundleComparison(
        paired=compare_paired(one, two, settings, seed),
        metrics=(measure_classification(one, settings, seed), measure_classification(two, settings, seed)),
        confusions=_confusions(one, two),
        disagreements=_disagreements(one, two),
        trained_on=(_count_trained_on(models[0], one), _count_trained_on(models[1], two)),
    )


def describe_comparison(comparison: BundleComparison) -> list[str]:
    """The comparison as lines for a terminal; the first is the headline."""
    pair, (one, two) = comparison.paired, comparison.metrics
    (low, high), level = pair.interval, f"{pair.confidence_level:.0%}"
    lines = [
        comparison.headline,
        f"accuracy    {pair.first:.3f} and {pair.second:.3f} on {pair.photos} photos",
        f"difference  {pair.difference:+.3f} ({level} interval {low:+.3f} to {high:+.3f})",
        f"macro-F1    {one.macro_f1:.3f} and {two.macro_f1:.3f}",
        f"only one is right: the first on {pair.only_first}, the second on {pair.only_second} photos "
        f"(McNemar p = {pair.p_value:.3g})",
    ]
    lines += [
        f"{c.label} taken for {c.predicted}: {c.first} times by the first, {c.second} by the second"
        for c in comparison.confusions[:_MAX_CONFUSIONS]
    ]
    if any(comparison.trained_on):
        first, second = comparison.trained_on
        used = f"{first} of these photos were used to train the first, {second} to train the second"
        lines.append(f"not a fair test: {used}")
    return lines


def _class_pairs(predictions: PhotoPredictions) -> list[tuple[str, str]]:
    """True and predicted class of each photo."""
    names = predictions.classes
    return [(names[a], names[b]) for a, b in zip(predictions.labels, predictions.predicted, strict=True)]


def _confusions(one: PhotoPredictions, two: PhotoPredictions) -> tuple[ConfusionCounts, ...]:
    first, second = (
        Counter(pair for pair in _class_pairs(predictions) if pair[0] != pair[1])
        for predictions in (one, two)
    )
    counts = (ConfusionCounts(*pair, first[pair], second[pair]) for pair in first | second)
    unequal = [confusion for confusion in counts if confusion.first != confusion.second]
    return tuple(sorted(unequal, key=lambda c: (-abs(c.first - c.second), c.label, c.predicted)))


def _disagreements(one: PhotoPredictions, two: PhotoPredictions) -> tuple[Disagreement, ...]:
    rows = zip(one.paths, _class_pairs(one), _class_pairs(two), strict=True)
    photos = (Disagreement(path, label, first, second) for path, (label, first), (_, second) in rows)
    return tuple(photo for photo in photos if (photo.first == photo.label) != (photo.second == photo.label))


def _count_trained_on(model: Classifier, predictions: PhotoPredictions) -> int:
    return model.bundle.count_trained_on(predictions.sha256) or 0
