"""Background bias: whether the classes can be told apart without looking at the leaf.

On PlantVillage eight border pixels give the right one of 38 classes for half of the photos (Noyan 2022,
Uncovering bias in the PlantVillage dataset). A model trained on such photos may have learnt the background.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.audit.embeddings import SIDE, PhotoEmbeddings

_FOLDS = 3
_REVEALING = 0.35  # of the way from chance to perfect; above it the reader is warned
_FRAME = 2  # width of the frame, in thumbnail pixels
_CIRCLE = 0.75  # diameter of the masked middle, relative to the photo
# Corners and middles of the sides, as Noyan chose them.
_EIGHT_PIXELS = [
    (y, x) for y in (0, SIDE // 2, SIDE - 1) for x in (0, SIDE // 2, SIDE - 1) if (y, x) != (SIDE // 2,) * 2
]


class BackgroundBias(BaseModel):
    """Balanced accuracy of classifiers that see only the background, cross-validated over groups.

    Attributes:
        chance: Accuracy of guessing.
        eight_pixels: Accuracy from eight border pixels.
        border: Accuracy from a thin frame around the photo.
        masked: Accuracy from the photo with a circle in the middle masked, 3/4 of the photo wide.
        photos: Number of photos.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chance: float
    eight_pixels: float
    border: float
    masked: float
    photos: int

    @property
    def highest(self) -> float:
        """The highest of the three accuracies."""
        return max(self.eight_pixels, self.border, self.masked)

    @property
    def reveals_class(self) -> bool:
        """Whether the background tells the classes apart far better than chance."""
        return (self.highest - self.chance) / (1 - self.chance) > _REVEALING


def measure_background_bias(photos: PhotoEmbeddings, seed: int) -> BackgroundBias | None:
    """Cross-validates classifiers that see only the background; None if a class has too few groups.

    Photos of one leaf share its background, so that folds never separate a group.

    Args:
        photos: Photos of all splits.
        seed: Seed of folds and forests.
    """
    classes = np.unique(photos.labels)
    fewest_groups = min(len(np.unique(photos.groups[photos.labels == label])) for label in classes)
    if len(classes) < 2 or fewest_groups < _FOLDS:
        return None
    eight = np.stack([photos.thumbnails[:, y, x] for y, x in _EIGHT_PIXELS], axis=1)
    return BackgroundBias(
        chance=1 / len(classes),
        eight_pixels=_accuracy(eight, photos, seed),
        border=_accuracy(photos.thumbnails[:, _frame()], photos, seed),
        masked=_accuracy(photos.thumbnails[:, ~_middle()], photos, seed),
        photos=len(photos.labels),
    )


def _accuracy(pixels: NDArray[np.uint8], photos: PhotoEmbeddings, seed: int) -> float:
    """Balanced accuracy of a random forest, as in Noyan 2022.

    Args:
        pixels: uint8 [N, P, 3], the part of each photo that the forest sees.
        photos: Labels and groups.
        seed: Seed of folds and forest.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    seed %= 2**32  # scikit-learn's limit
    forest = RandomForestClassifier(
        100, min_samples_leaf=2, class_weight="balanced_subsample", n_jobs=-1, random_state=seed
    )
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    rows = pixels.reshape(len(pixels), -1)
    predicted = cross_val_predict(forest, rows, photos.labels, groups=photos.groups, cv=folds)
    return float(balanced_accuracy_score(photos.labels, predicted))


def _frame() -> NDArray[np.bool_]:
    """Bool [SIDE, SIDE], true in a frame along the border."""
    inside = np.zeros((SIDE, SIDE), bool)
    inside[_FRAME:-_FRAME, _FRAME:-_FRAME] = True
    return ~inside


def _middle() -> NDArray[np.bool_]:
    """Bool [SIDE, SIDE], true in a circle in the middle."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.hypot(y, x) < SIDE / 2 * _CIRCLE
