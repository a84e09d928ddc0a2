"""Metrics by which training compares models."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import f1_score
from torch import Tensor

_COLDEST, _HOTTEST, _TEMPERATURES = 0.25, 4, 81  # range and number of the temperatures that are tried


def macro_f1(logits: Tensor, labels: Tensor) -> float:
    """Mean F1 over the classes that occur among labels or predictions."""
    return float(f1_score(labels.numpy(), logits.argmax(1).numpy(), average="macro", zero_division=0.0))


def log_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of each photo [N], with the logits at their best temperature.

    Training with smoothed labels leaves a network underconfident: uncalibrated, its likelihood falls while
    its predictions get better. The bundle's temperature corrects that, so models are compared as they are
    served.
    """
    scaled = logits / temperature(logits, labels)
    return F.cross_entropy(scaled, labels, reduction="none", label_smoothing=_smoothing(logits))


def temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that makes held-out logits most likely (Guo 2017), between 0.25 and 4.

    Targets are (N + 1) / (N + 2) instead of 1 (Platt 1999). N correct predictions do not prove the next one,
    and without this a validation set without mistakes would ask for unlimited confidence.
    """
    candidates = torch.from_numpy(np.geomspace(_COLDEST, _HOTTEST, _TEMPERATURES)).float()
    smoothing = _smoothing(logits)
    losses = torch.stack([F.cross_entropy(logits / t, labels, label_smoothing=smoothing) for t in candidates])
    return float(candidates[int(losses.argmin())])


def _smoothing(logits: Tensor) -> float:
    """The label smoothing that leaves the true class (N + 1) / (N + 2)."""
    count, classes = logits.shape
    return classes / ((classes - 1) * (count + 2))
