"""Background probe: can the classes be told apart without looking at the leaf?

On PlantVillage eight pixels of the border name the right one of 38 classes for half of the photos
(Noyan 2022, Uncovering bias in the PlantVillage dataset). A model trained there may have learnt the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.audit.embeddings import SIDE, Looked

_FOLDS = 3
_FAR = 0.35  # of the way from guessing to never wrong
_FRAME = 2  # pixels of SIDE
_EIGHT = [
    (y, x) for y in (0, SIDE // 2, SIDE - 1) for x in (0, SIDE // 2, SIDE - 1) if (y, x) != (SIDE // 2,) * 2
]


class BackgroundProbe(BaseModel):
    """How often a class is named rightly, every class counting alike, on photos of other things.

    Attributes:
        chance: By guessing.
        eight_pixels: From eight pixels of the border.
        border: From a thin frame around the photo.
        masked: From the photo with its middle, a circle as wide as the photo less a quarter, painted over.
        photos: How many were asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chance: float
    eight_pixels: float
    border: float
    masked: float
    photos: int

    @property
    def gives_away(self) -> bool:
        """Whether the classes can be told apart, far above chance, without the leaf."""
        best = max(self.eight_pixels, self.border, self.masked)
        return (best - self.chance) / (1 - self.chance) > _FAR


def probe_background(looked: Looked, seed: int) -> BackgroundProbe | None:
    """Cross-validates classifiers that see the surroundings only; None where groups are too few.

    Folds never part a group: photos of one leaf share its background.

    Args:
        looked: Photos of all splits.
        seed: Of folds and forests.
    """
    _, counts = np.unique(looked.labels, return_counts=True)
    fewest = min(len(np.unique(looked.groups[looked.labels == label])) for label in np.unique(looked.labels))
    if len(counts) < 2 or fewest < _FOLDS:
        return None
    eight = np.stack([looked.small[:, y, x] for y, x in _EIGHT], axis=1)
    views = (eight, looked.small[:, _frame()], looked.small[:, ~_middle()])
    found = [_accuracy(view.reshape(len(view), -1), looked, seed) for view in views]
    return BackgroundProbe(
        chance=1 / len(counts),
        eight_pixels=found[0],
        border=found[1],
        masked=found[2],
        photos=len(looked.labels),
    )


def _accuracy(pixels: NDArray[np.uint8], looked: Looked, seed: int) -> float:
    """Balanced accuracy of a random forest, as Noyan used."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    forest = RandomForestClassifier(
        100, min_samples_leaf=2, class_weight="balanced_subsample", n_jobs=-1, random_state=seed % 2**32
    )
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed % 2**32)
    given = cross_val_predict(forest, pixels, looked.labels, groups=looked.groups, cv=folds)
    return float(balanced_accuracy_score(looked.labels, given))


def _frame() -> NDArray[np.bool_]:
    inside = np.zeros((SIDE, SIDE), bool)
    inside[_FRAME:-_FRAME, _FRAME:-_FRAME] = True
    return ~inside


def _middle() -> NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.hypot(y, x) < SIDE / 2 * 0.75
