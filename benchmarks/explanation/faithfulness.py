"""Faithfulness of an explanation: deletion and insertion (Petsiuk et al. 2018, RISE)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from phytoflow.inference.classifier import Classifier

_STEPS = 16  # of the two curves
_BLUR = 10.0  # pixels, of places that are deleted or not yet inserted: no edge remains visible


@dataclass(frozen=True)
class Faithfulness:
    """Mean probability of the class while places are removed or added, most important first; 0 to 1.

    Attributes:
        deletion: While places are blurred; low is good.
        insertion: While places are restored in the blurred photo; high is good.
    """

    deletion: float
    insertion: float

    @property
    def score(self) -> float:
        """Insertion minus deletion; high is good."""
        return self.insertion - self.deletion


def faithfulness(
    classifier: Classifier, pixels: NDArray[np.uint8], heat: NDArray[np.float32], label: int
) -> Faithfulness:
    """Measures one explanation by the probability of its class.

    Args:
        classifier: The opened bundle.
        pixels: uint8 [size, size, 3].
        heat: float32 [size, size]; places with the highest values are removed or added first.
        label: Number of the class.
    """
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(_BLUR)))
    order = np.argsort(-heat.ravel(), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    first = [
        (rank < len(order) * step / _STEPS).reshape(heat.shape)[:, :, None] for step in range(_STEPS + 1)
    ]
    deleted = np.stack([np.where(removed, blurred, pixels) for removed in first])
    inserted = np.stack([np.where(added, pixels, blurred) for added in first])
    return Faithfulness(_area(classifier, deleted, label), _area(classifier, inserted, label))


def edges(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A map that does not depend on the model: the strength of edges, uint8 [H, W, 3] to float32 [H, W]."""
    grey = pixels.astype(np.float32).mean(axis=2)
    down, across = np.gradient(grey)
    strength = np.hypot(down, across)
    return (strength / max(float(strength.max()), 1e-6)).astype(np.float32)


def _area(classifier: Classifier, photos: NDArray[np.uint8], label: int) -> float:
    tensor = classifier.bundle.manifest.preprocessing.normalise(photos)
    return float(np.trapezoid(classifier.predict_tensor(tensor).probabilities[:, label], dx=1 / _STEPS))
