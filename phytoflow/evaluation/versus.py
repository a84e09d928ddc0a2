"""Two bundles side by side on the same photos: `phytoflow compare`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phytoflow.config import EvaluationSettings
from phytoflow.data.photo import LabelledPhoto
from phytoflow.errors import DataError
from phytoflow.evaluation.compare import Comparison, paired
from phytoflow.evaluation.metrics import measure
from phytoflow.evaluation.predict import predict_photos
from phytoflow.evaluation.predictions import PhotoPredictions
from phytoflow.inference.classifier import Classifier


@dataclass(frozen=True)
class Versus:
    """What two bundles make of the same photos.

    Attributes:
        paired: Accuracies, their difference (second less first) and its interval; ``champion`` is the first.
        only_first: Photos only the first names rightly.
        only_second: Photos only the second names rightly.
        p_value: Of McNemar's exact test that both are wrong equally often, photos taken as independent.
        macro_f1: Of the first and the second.
        trained_on: Photos that the first, and the second, were trained on; they flatter.
    """

    paired: Comparison
    only_first: int
    only_second: int
    p_value: float
    macro_f1: tuple[float, float]
    trained_on: tuple[int, int]

    @property
    def verdict(self) -> str:
        """In a sentence."""
        low, high = self.paired.interval
        if low > 0:
            return "The second is better, beyond what chance would do."
        if high < 0:
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
    comparison = paired(one, two, np.ones(len(one.paths), bool), settings, seed)
    alone = int((one.correct & ~two.correct).sum()), int((two.correct & ~one.correct).sum())
    return Versus(
        paired=comparison,
        only_first=alone[0],
        only_second=alone[1],
        p_value=mcnemar(*alone),
        macro_f1=(measure(one, settings, seed).macro_f1, measure(two, settings, seed).macro_f1),
        trained_on=(_known(models[0], one), _known(models[1], two)),
    )


def mcnemar(one: int, other: int) -> float:
    """P value of McNemar's test (1947) in its exact form: disagreements fall either way like coins."""
    from scipy.stats import binomtest

    return float(binomtest(one, one + other).pvalue) if one + other else 1.0


def lines(found: Versus) -> list[str]:
    """The comparison for a terminal."""
    pair = found.paired
    low, high = pair.interval
    said = [
        found.verdict,
        f"accuracy    {pair.champion:.3f} against {pair.challenger:.3f} on {pair.photos} photos",
        f"difference  {pair.difference:+.3f} ({pair.confidence:.0%} interval {low:+.3f} to {high:+.3f})",
        f"macro-F1    {found.macro_f1[0]:.3f} against {found.macro_f1[1]:.3f}",
        f"only one is right: the first on {found.only_first}, the second on {found.only_second} photos "
        f"(McNemar p = {found.p_value:.3g})",
    ]
    if any(found.trained_on):
        one, two = found.trained_on
        said.append(f"not a fair test: the first was trained on {one} of these photos, the second on {two}")
    return said


def _known(model: Classifier, answers: PhotoPredictions) -> int:
    known = model.bundle.training_photos()
    return sum(digest in known for digest in answers.sha256)
