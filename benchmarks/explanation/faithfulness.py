"""Is an explanation true to the model? Deletion and insertion (Petsiuk et al. 2018, RISE)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from phytoflow.inference.classifier import Classifier

_STEPS = 16
_BLUR = 10.0  # pixels: what stands where a place is deleted or not yet inserted; no edge is left to see


@dataclass(frozen=True)
class Faithfulness:
    """Mean probability of the class while places go or come, the most telling ones first, 0..1.

    Attributes:
        deletion: While they are blurred away; low is good.
        insertion: While they come back into the blurred photo; high is good.
    """

    deletion: float
    insertion: float

    @property
    def score(self) -> float:
        """Insertion less deletion; high is good."""
        return self.insertion - self.deletion


def faithfulness(
    classifier: Classifier, pixels: NDArray[np.uint8], heat: NDArray[np.float32], label: int
) -> Faithfulness:
    """Follows one photo's probability of a class.

    Args:
        classifier: The opened bundle.
        pixels: uint8 [size, size, 3].
        heat: float32 [size, size]; what it says is most telling goes, or comes, first.
        label: Number of the class.
    """
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(_BLUR)))
    order = np.argsort(-heat.ravel(), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    first = [
        (rank < len(order) * step / _STEPS).reshape(heat.shape)[:, :, None] for step in range(_STEPS + 1)
    ]
    deleted = np.stack([np.where(gone, blurred, pixels) for gone in first])
    inserted = np.stack([np.where(come, pixels, blurred) for come in first])
    return Faithfulness(_area(classifier, deleted, label), _area(classifier, inserted, label))


def edges(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A map that knows nothing of the model: the strength of edges, uint8 [H, W, 3] to float32 [H, W]."""
    grey = pixels.astype(np.float32).mean(axis=2)
    down, across = np.gradient(grey)
    strength = np.hypot(down, across)
    return (strength / max(float(strength.max()), 1e-6)).astype(np.float32)


def _area(classifier: Classifier, photos: NDArray[np.uint8], label: int) -> float:
    tensor = classifier.bundle.manifest.preprocessing.normalise(photos)
    return float(np.trapezoid(classifier.predict_tensor(tensor).probabilities[:, label], dx=1 / _STEPS))
