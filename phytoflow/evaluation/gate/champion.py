"""The challenger against the champion, on the photos that both may be judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.compare.paired import PairedComparison, compare_paired
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier


@dataclass(frozen=True)
class ChampionComparison:
    """The comparison of a challenger with the champion.

    Attributes:
        version: The champion's version in the registry.
        identical: Both bundles hold the same model; nothing was compared.
        seen: Test photos left out because the champion was trained on them, or on one of the same group.
        foreign: Test photos left out because the champion does not have their class.
        paired: The comparison (first: champion, second: challenger); None if no photo was left.
    """

    version: str
    identical: bool = False
    seen: int = 0
    foreign: int = 0
    paired: PairedComparison | None = None

    @property
    def worse(self) -> bool:
        """Whether the challenger is significantly worse."""
        return self.paired is not None and self.paired.second_is_worse


def compare_with_champion(
    bundle: Path,
    photos: Iterable[LabelledPhoto],
    challenger: PhotoPredictions,
    *,
    version: str,
    settings: EvaluationSettings,
    seed: int,
) -> ChampionComparison:
    """Classifies the challenger's test photos with the champion, and compares the two.

    Args:
        bundle: Folder of the champion's bundle.
        photos: The photos behind ``challenger``, in any order; streamed.
        challenger: The challenger's predictions.
        version: The champion's version in the registry.
        settings: Number of resamples and confidence level.
        seed: Seed of the bootstrap.

    Raises:
        BundleError: The champion's bundle is damaged or cannot be loaded.
    """
    opened, tested = Bundle.load(bundle), set(challenger.paths)
    known = opened.manifest.classes
    foreign = sum(challenger.classes[label] not in known for label in challenger.labels)
    if foreign == len(challenger.labels):
        return ChampionComparison(version, foreign=foreign)
    common = (photo for photo in photos if photo.path in tested and photo.label in known)
    champion, _ = predict_photos(Classifier.load(bundle), common)
    unseen = _unseen(champion, opened.training_photos())
    paired = compare_paired(champion.select(unseen), challenger, settings, seed) if unseen.any() else None
    return ChampionComparison(version, seen=int((~unseen).sum()), foreign=foreign, paired=paired)


def _unseen(predictions: PhotoPredictions, trained_on: frozenset[str]) -> NDArray[np.bool_]:
    """Bool [N], photos that share no group with a photo the model was trained on."""
    rows = zip(predictions.groups, predictions.sha256, strict=True)
    seen = {group for group, digest in rows if digest in trained_on}
    return np.array([group not in seen for group in predictions.groups])
