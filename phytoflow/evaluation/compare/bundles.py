"""Two bundles side by side on the same photos: `phytoflow compare`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError
from phytoflow.evaluation.compare.paired import Comparison, paired
from phytoflow.evaluation.metrics.classification import Figures, measure
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier

_MOST_SAID = 6


class Confusion(NamedTuple):
    """A mistake that one makes more often than the other.

    Attributes:
        label: The true class.
        given: The class given.
        first: Photos on which the first makes it.
        second: Photos on which the second does.
    """

    label: str
    given: str
    first: int
    second: int


class Parted(NamedTuple):
    """A photo that only one names rightly.

    Attributes:
        path: The photo's.
        label: The true class.
        first: The class that the first gives.
        second: The class that the second gives.
    """

    path: str
    label: str
    first: str
    second: str


@dataclass(frozen=True)
class Versus:
    """What two bundles make of the same photos.

    Attributes:
        paired: Accuracies, their difference (second less first), its interval and McNemar's test;
            ``champion`` is the first.
        figures: Every figure of the first and of the second.
        confusions: Mistakes they do not make equally often, the largest difference first.
        parted: Photos that only one names rightly.
        trained_on: Photos that the first, and the second, were trained on; they flatter.
    """

    paired: Comparison
    figures: tuple[Figures, Figures]
    confusions: tuple[Confusion, ...]
    parted: tuple[Parted, ...]
    trained_on: tuple[int, int]

    @property
    def verdict(self) -> str:
        """In a sentence."""
        low, high = self.paired.interval
        sure = self.paired.p_value < 1 - self.paired.confidence
        if sure and low > 0:
            return "The second is better, beyond what chance would do."
        if sure and high < 0:
            return "The first is better, beyond what chance would do."
        return "These photos do not tell which is better."


def versus(
    first: Path, second: Path, photos: Iterable[LabelledPhoto], settings: EvaluationSettings, seed: int
) -> Versus:
    """Asks both bundles for every photo.

    Args:
        first: A bundle.
        second: Another with the same classes, in any order.
        photos: Labelled photos that neither was trained on; read once and kept as bytes.
        settings: Resamples and confidence.
        seed: Of the bootstrap.

    Raises:
        DataError: The bundles have different classes, or a label is none of them.
        BundleError: A bundle is damaged or cannot be loaded.
    """
    models, kept = (Classifier.load(first), Classifier.load(second)), list(photos)
    if set(models[0].classes) != set(models[1].classes):
        odd = sorted(set(models[0].classes) ^ set(models[1].classes))
        what = f"{first} and {second} do not have the same classes: only one has {', '.join(odd)}"
        raise DataError(what, remedy="compare bundles that were trained on the same classes")
    one, two = (predict_photos(model, kept)[0] for model in models)
    return Versus(
        paired=paired(one, two, np.ones(len(one.paths), bool), settings, seed),
        figures=(measure(one, settings, seed), measure(two, settings, seed)),
        confusions=_confusions(one, two),
        parted=_parted(one, two),
        trained_on=(_known(models[0], one), _known(models[1], two)),
    )


def _names(answers: PhotoPredictions) -> list[tuple[str, str]]:
    """True class and class given of each photo."""
    classes = answers.classes
    return [(classes[a], classes[b]) for a, b in zip(answers.labels, answers.predicted, strict=True)]


def _confusions(one: PhotoPredictions, two: PhotoPredictions) -> tuple[Confusion, ...]:
    counts = [Counter(pair for pair in _names(answers) if pair[0] != pair[1]) for answers in (one, two)]
    found = [Confusion(*pair, counts[0][pair], counts[1][pair]) for pair in counts[0] | counts[1]]
    unlike = [confusion for confusion in found if confusion.first != confusion.second]
    return tuple(sorted(unlike, key=lambda c: (-abs(c.first - c.second), c.label, c.given)))


def _parted(one: PhotoPredictions, two: PhotoPredictions) -> tuple[Parted, ...]:
    rows = zip(one.paths, _names(one), _names(two), strict=True)
    found = (Parted(path, label, first, second) for path, (label, first), (_, second) in rows)
    return tuple(photo for photo in found if (photo.first == photo.label) != (photo.second == photo.label))


def lines(found: Versus) -> list[str]:
    """The comparison for a terminal."""
    pair = found.paired
    low, high = pair.interval
    said = [
        found.verdict,
        f"accuracy    {pair.champion:.3f} against {pair.challenger:.3f} on {pair.photos} photos",
        f"difference  {pair.difference:+.3f} ({pair.confidence:.0%} interval {low:+.3f} to {high:+.3f})",
        f"macro-F1    {found.figures[0].macro_f1:.3f} against {found.figures[1].macro_f1:.3f}",
        f"only one is right: the first on {pair.only_champion}, the second on {pair.only_challenger} photos "
        f"(McNemar p = {pair.p_value:.3g})",
    ]
    said += [
        f"{c.label} taken for {c.given}: {c.first} times by the first, {c.second} by the second"
        for c in found.confusions[:_MOST_SAID]
    ]
    if any(found.trained_on):
        one, two = found.trained_on
        said.append(f"not a fair test: the first was trained on {one} of these photos, the second on {two}")
    return said


def _known(model: Classifier, answers: PhotoPredictions) -> int:
    return model.bundle.count_trained_on(answers.sha256) or 0
