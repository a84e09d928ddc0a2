"""Class imbalance: weights in the loss, or the probability with which each photo is drawn."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def class_weights(labels: NDArray[np.int64], classes: int, balancing: str) -> Tensor:
    """Weight of each class in the loss, float [C]; all 1 unless ``balancing`` is ``loss``."""
    if balancing != "loss":
        return torch.ones(classes)
    return torch.from_numpy(_inverse_frequency(labels, classes)).float()


def draw_probabilities(labels: NDArray[np.int64], classes: int, balancing: str) -> NDArray[np.float64] | None:
    """Probability with which each photo is drawn, float [N]; None: every photo is drawn once an epoch."""
    if balancing != "sampler":
        return None
    weights = _inverse_frequency(labels, classes)[labels]
    return weights / weights.sum()


def _inverse_frequency(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    counts = np.bincount(labels, minlength=classes)
    return np.where(counts > 0, len(labels) / (classes * np.maximum(counts, 1)), 0.0)
